"""The list of attributes of the basic profile, and what is found by it in a header."""

import pytest
from pydicom import Dataset
from pydicom.datadict import dictionary_keyword
from pydicom.sequence import Sequence

from medvision.imaging.confidentiality import KINDS, Element, basic_profile, identifying_elements

# Rows of Table E.1-1 as transcribed from another reading of the standard, the JSON of the repository
# innolitics/dicom-standard (standard/confidentiality_profile_attributes.json, commit d6ed9ccf); the package's
# table was made from the 2026c edition by way of the lists of KitwareMedical/dicom-anonymizer.
ELSEWHERE = {
    "Z": (
        "00100020 00080050 00120060 00120021 00120030 00120031 00120050 3010000F 30100017 0008009C 3010001B "
        "300A0615 300A0611 3010005A 00400610 00080020 00200010 00080030 30100043 00100030 00100010 "
        "00100040 "
    ),
    "X": (
        "00184000 00189424 00404035 001021B0 0040A353 00380010 00380020 00081084 00081080 00380021 "
        "00001000 00102110 40000010 0040A078 300A00C3 300A00DD 00101081 0016004D 00181007 00120082 "
        "00120072 00120071 00120051 00400310 00400280 300A02EB 00403001 0008009D 0050001B 0040051A "
        "00700086 0018A003 00102150 0040A307 00380300 50xxxxxx 00080025 00080035 0040A07C FFFCFFFC "
        "0018937F 00082111 00500020 0016004B FFFAFFFA 00380040 4008011A 40080119 300A0016 40080118 "
        "40080042 300A0004 300A0003 00404034 0038001E 00400006 0040000B 00400007 00400004 00400005 "
        "00404008 00400011 00404010 00400002 00404005 00400003 00400001 00404027 00400010 00404025 "
        "00321020 00321021 0008103E 00380062 00380060 300A01B2 300A01A6 004006FA 001021A0 300A0216 "
        "00380050 0040050A 00400602 00400600 00324000 00081030 00320012 0040A354 40004000 20300020 "
        "00080201 00880910 00880912 00880906 00880904 001021D0 0016004F 00160050 00160051 00500021 "
        "04000404 0016002B 00102000 00101090 00101080 04000550 00203406 00203401 0018937B 00081060 "
        "00401010 0040A192 00102180 00402010 00402008 00402009 04000561 00101000 00101002 00101001 "
        "60xx4000 60xx3000 00080024 00101040 00101010 00101005 00100032 00380400 00100050 00101060 "
        "00100101 001021F0 00101020 00102155 00102154 00101030 00104000 00380500 00401004 00400243 "
        "00400254 00400250 00400253 00400241 00081050 00081052 00401102 00081048 "
    ),
    "X/Z": ("00400555 00080022 00080032 22000005 300E0008 30080105 00102203 "),
    "X/Z/D": ("0008002A 00181000 00081010 00081070 "),
    "X/D": (
        "00181400 0018700A 300A0006 300A0007 30100056 00080021 00080031 00189516 30080250 30080056 00081072 "
    ),
    "D": (
        "001811BB 00120081 00120020 00120010 00120040 00120042 00400512 0040A730 3010002D 300A0002 "
        "30100054 300A062A 0018936A 00340005 00189369 00400551 00401101 0040A123 "
    ),
    "U": (
        "00209161 30100006 30100013 00181002 04000100 00209164 3010003B 0020000E 00080018 30100015 "
        "00400554 00880140 0020000D 00200200 00182042 0040DB0D 0040DB0C 00620021 00081195 0018100B "
        "00020003 0040A402 0040A171 00281199 300A0650 "
    ),
    "Z/D": ("00700084 00080023 00080033 00180010 "),
    "X/Z/U*": ("00082112 "),
}

# New between the two editions.
CHANGED = {"00100020": "Z/D"}


def test_the_list_agrees_with_another_transcription():
    profile = basic_profile()
    wrong = {
        tag: profile[tag].action
        for action, tags in ELSEWHERE.items()
        for tag in tags.split()
        if profile[tag].action != CHANGED.get(tag, action)
    }
    assert wrong == {}
    assert sum(len(tags.split()) for tags in ELSEWHERE.values()) > 230


def test_the_list_is_whole_and_its_keywords_are_those_of_the_dictionary():
    profile = basic_profile()
    assert len(profile) == 655
    assert {entry.action for entry in profile.values()} == {
        "X", "Z", "D", "U", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"
    }  # fmt: skip
    assert {entry.kind for entry in profile.values()} <= set(KINDS)
    unknown = 0
    for tag, entry in profile.items():
        if "x" in tag:
            continue
        try:
            assert dictionary_keyword(int(tag, 16)) == entry.keyword
        except KeyError:
            unknown += 1  # newer than pydicom's dictionary
    assert unknown <= 25


@pytest.mark.parametrize(
    ("keyword", "kind"),
    [
        ("PatientName", "identity"), ("PatientBirthDate", "identity"), ("AccessionNumber", "identity"),
        ("ReferringPhysicianName", "identity"), ("PatientAge", "characteristic"),
        ("StudyDate", "date or time"),
        ("ContentTime", "date or time"), ("StudyInstanceUID", "UID"), ("InstitutionName", "place or device"),
        ("DeviceSerialNumber", "place or device"), ("StudyDescription", "free text"),
        ("PatientComments", "free text"), ("OverlayData", "graphics"), ("MAC", "other"),
    ],
)  # fmt: skip
def test_what_an_attribute_tells(keyword, kind):
    assert next(entry.kind for entry in basic_profile().values() if entry.keyword == keyword) == kind


def header():
    inner = Dataset()
    inner.PatientName = "Other^Person"
    inner.CodeMeaning = "harmless"
    deep = Dataset()
    deep.ReferencedPatientSequence = Sequence([inner])
    found = Dataset()
    found.PatientName, found.PatientID = "Doe^Jane", "4711"
    found.PatientBirthDate = ""
    found.Modality, found.Rows = "CT", 4
    found.ProcedureCodeSequence = Sequence([deep])
    found.PerformedProtocolCodeSequence = Sequence([])
    found.add_new(0x60020010, "US", 4)
    found.add_new(0x60023000, "OW", b"\0\0")
    found.add_new(0x50000005, "US", 2)
    block = found.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, "LO", "private")
    other = found.private_block(0x0031, "Jane Doe's block", create=True)
    other.add_new(0x10, "LO", "private")
    return found


def test_every_depth_and_group_is_found_and_private_values_are_not_read():
    found = list(identifying_elements(header()))
    told = [(element.entry.tag, element.entry.keyword, element.value) for element in found]
    assert ("00100010", "PatientName", "Doe^Jane") in told
    assert ("00100010", "PatientName", "Other^Person") in told
    assert ("00081120", "ReferencedPatientSequence", "1 item") in told
    assert ("60xx3000", "OverlayData", "data") in told
    assert ("50xxxxxx", "CurveData", "data") in told
    assert ("0029xxxx", "SIEMENS CSA HEADER", "private") in told
    assert ("0031xxxx", "unknown creator", "private") in told
    assert not {"PatientBirthDate", "Modality", "CodeMeaning"} & {keyword for _, keyword, _ in told}


def test_the_file_meta_counts_too():
    found = header()
    found.file_meta = Dataset()
    found.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    assert "MediaStorageSOPInstanceUID" in {e.entry.keyword for e in identifying_elements(found)}


@pytest.mark.parametrize(
    "value", ["ANONYMOUS", "Anon^Patient", "^", "00000000", "XXXX", "removed", "N/A", "De-identified"]
)
def test_dummies(value):
    assert Element(basic_profile()["00100010"], value).looks_like_dummy


@pytest.mark.parametrize("value", ["Doe^Jane", "4711", "Xaver", "M", "1 item", "Annette"])
def test_no_dummies(value):
    assert not Element(basic_profile()["00100010"], value).looks_like_dummy
