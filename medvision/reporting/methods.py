"""The methods section, written from the resolved study: nothing in it was typed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medvision.reporting.contents import RunContents
from medvision.reporting.measures import measure
from medvision.reporting.wording import plural, print_rule, print_sample

_Part = Mapping[str, Any]


def methods_text(contents: RunContents) -> tuple[tuple[str, str], ...]:
    """Return headings with one paragraph each, from the data to the software."""
    study = contents.study
    paragraphs = (
        ("Data", _data(contents)),
        ("Preprocessing", _preprocessing(_part(study, "preprocessing"))),
        ("Scans learned from", _fingerprint(contents.fingerprints)),
        ("Cross-validation" if len(contents.parts) > 1 else "Test part", _split(contents)),
        ("Model", _model(_part(study, "model"))),
        ("Training", _training(study, contents.is_segmentation)),
        ("Prediction", _prediction(_part(study, "prediction"))),
        ("Operating point", "" if contents.is_segmentation else _threshold(study)),
        ("Comparators", _comparators(study)),
        ("Statistics", _statistics(contents)),
        ("Software", _software(contents.record)),
    )
    return tuple((heading, text) for heading, text in paragraphs if text)


def _data(contents: RunContents) -> str:
    cohort = contents.cohort
    sample = print_sample(len(cohort), cohort["patient_id"].nunique(), contents.unit)
    section = _part(contents.study, "cohort")
    sampling = {"cohort": "an unselected cohort", "enriched": "an enriched (case-control) sample"}
    kind = sampling.get(str(section.get("sampling", "")), "a sample")
    text = f"The data are {sample}, taken as {kind}"
    if section.get("prevalence"):
        text += (
            f" with an assumed prevalence of {100 * float(section['prevalence']):g}% in the target population"
        )
    forbidden = list(section.get("forbidden") or ())
    noun, verb = ("column", "was") if len(forbidden) == 1 else ("columns", "were")
    never = f" The {noun} {_listed(forbidden)} {verb} never an input." if forbidden else ""
    if contents.is_segmentation:
        return f"{text}. Structures: {_listed(contents.structures)}.{never}"
    negative, positive = contents.class_names
    return f"{text}. The positive class is “{positive}”, the negative class “{negative}”.{never}"


def _preprocessing(part: _Part) -> str:
    steps = [f"Images were brought to {part.get('orientation', 'RAS')} orientation"]
    if _part(part, "bias_field").get("kind") == "n4":
        steps.append("corrected for their bias field (N4)")
    steps.append(_spacing(part))
    intensity = _part(part, "intensity")
    where = _WHERE.get(str(_part(intensity, "foreground").get("kind")), "")
    match intensity.get("kind"):
        case "window":
            low, high = intensity["window_hu"]
            steps.append(f"clipped to {low:g} to {high:g} HU and scaled to −1 to 1".replace("-", "−"))
        case "zscore":
            where = " over the voxels that are not zero" if intensity.get("nonzero") else where
            steps.append(f"standardised to zero mean and unit variance{where}, each image by itself")
        case "percentile":
            low, high = intensity["percentiles"]
            steps.append(
                f"mapped from their {low:g}th and {high:g}th percentile{where} to −1 to 1 and clipped"
            )
        case "nyul":
            count = len(intensity["percentiles"])
            steps.append(
                f"mapped by {count} percentiles{where} to a standard histogram that was learned on the "
                "training part of each fold (Nyúl)"
            )
        case "raw":
            steps.append("kept at their own intensities")
    multiple = part.get("multiple_of_voxels")
    padded = f" Every side was padded to a multiple of {_times(multiple)} voxels." if multiple else ""
    return f"{_listed(steps)}.{_crop(_part(part, 'crop'))}{padded}"


_WHERE = {
    "above": " of the voxels above a threshold",
    "body": " of the body",
    "given": " of the given region",
}


def _spacing(part: _Part) -> str:
    spacing = part.get("spacing_mm")
    if not spacing:
        return "kept at their own voxel size"
    way = "cubic splines" if part.get("interpolation") == "cubic" else "linear interpolation"
    if spacing == "median":
        return f"resampled to the median voxel size of the training part of each fold ({way})"
    return f"resampled to {_times(spacing)} mm ({way})"


def _fingerprint(prints: Sequence[Mapping[str, Any]]) -> str:
    """What the training parts of the folds have in common, and how far they differ."""
    if not prints:
        return ""
    spacing = _across([each["spacing_mm"]["median"] for each in prints], "{:.2f}")
    shape = _across([each["shape_voxels"]["median"] for each in prints], "{:.0f}")
    ends = [[each["intensity_percentiles"][p] for p in ("0.5", "50", "99.5")] for each in prints]
    low, middle, high = (_span([row[column] for row in ends], "{:.4g}") for column in range(3))
    return (
        f"Computed on the training part of each fold alone ({plural('fold', len(prints))}): the median voxel "
        f"size was {spacing} mm and the median size {shape} voxels; of the intensities of "
        f"{prints[0]['intensity_of']}, 0.5% were below {low}, half below {middle}, and 99.5% below {high}."
        f"{_gone(prints)}"
    )


def _gone(prints: Sequence[Mapping[str, Any]]) -> str:
    lost = {
        name: _span([each["structures"][name]["gone_from"] for each in prints], "{:.0f}")
        for name, found in prints[0]["structures"].items()
        if any(each["structures"][name]["gone_from"] for each in prints)
    }
    said = [f"{name} from {count} masks" for name, count in lost.items()]
    return f" Resampling and cropping removed {_listed(said)} of a training part." if said else ""


def _across(rows: Sequence[Sequence[float]], pattern: str) -> str:
    return "×".join(_span(column, pattern) for column in zip(*rows, strict=True))


def _span(values: Sequence[float], pattern: str) -> str:
    """One value where all folds agree in what is printed, else the lowest and the highest."""
    low, high = (pattern.format(value).replace("-", "−") for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _crop(part: _Part) -> str:
    match part.get("kind"):
        case "foreground":
            return (
                f" They were cropped to the voxels above {part.get('above', 0):g} with a margin of "
                f"{part.get('margin_mm', 0):g} mm."
            )
        case "body":
            return f" They were cropped to the body with a margin of {part.get('margin_mm', 0):g} mm."
        case "region":
            return f" They were cropped to the given region with a margin of {part.get('margin_mm', 0):g} mm."
        case "center":
            centre = "the case's mask" if part.get("around") == "mask" else "the centre of the image"
            given = " The position of the mask is therefore an input." if part.get("around") == "mask" else ""
            size = _times(part.get("size_voxels"))
            return f" They were cropped or padded to {size} voxels around {centre}.{given}"
    return ""


def design_words(contents: RunContents) -> str:
    """Say in a few words how the cohort was split."""
    parts = len({fold for _, fold in contents.parts})
    match contents.kind:
        case "site":
            return f"leave-one-out cross-validation over {parts} {_by(contents)}s"
        case "time":
            return "temporal validation" + (f" in {parts} expanding windows" if parts > 1 else "")
        case "column":
            return "official training and test parts"
        case "hash":
            return f"{parts}-fold cross-validation by hash"
    return f"{parts}-fold cross-validation"


def _by(contents: RunContents) -> str:
    return str(_part(contents.study, "split").get("column") or "site")


def _split(contents: RunContents) -> str:
    repeats = contents.repeats
    words = design_words(contents)
    text = words[0].upper() + words[1:]
    text += f", repeated {repeats} times with different splits" if repeats > 1 else ""
    text += {
        "site": ": each is tested by the model that learned from all others",
        "time": f" by {_by(contents)}: each part is tested by what was learned from everything before it",
        "column": f" by {_by(contents)}",
        "hash": ", each fold chosen by a hash of patient and seed and not balanced",
    }.get(contents.kind, "")
    together = "fold" if contents.kind in ("kfold", "hash") else "part"
    return (
        f"{text}, grouped by patient{_balanced(contents)}: all {plural(contents.unit, 2)} of a patient are "
        f"in the same {together}.{_nested(contents)}{_locked(contents)} Every figure in this report is of "
        "cases that their model did not see in training, unless it says otherwise."
    )


def _balanced(contents: RunContents) -> str:
    if contents.kind != "kfold":
        return ""
    by = [str(name) for name in _part(contents.study, "split").get("stratify_by") or ()]
    strata = (["the label"] if not contents.is_segmentation else []) + by
    return f", balanced by {_listed(strata)}" if strata else ""


def _nested(contents: RunContents) -> str:
    folds = _part(contents.study, "split").get("inner_folds")
    if not folds:
        return ""
    return (
        f" Nested: each training part was divided into {folds} inner folds, on which a member each was "
        "trained and thresholds were chosen."
    )


def _locked(contents: RunContents) -> str:
    if not len(contents.locked):
        return ""
    patients = contents.locked["patient_id"].nunique()
    sample = print_sample(len(contents.locked), patients, contents.unit)
    opened = "; its results stand apart" if contents.locked_results else " and not opened"
    return f" A test set of {sample} was locked away before{opened}."


def _model(part: _Part) -> str:
    match part.get("kind"):
        case "resnet":
            return (
                f"A 3D ResNet-{part.get('depth')} with {_listed(part.get('widths') or ())} channels in its "
                f"four stages, a first convolution of kernel {part.get('stem_kernel')} and stride "
                f"{part.get('stem_stride')}{_dropout(part)}."
            )
        case "densenet":
            return (
                f"A 3D densely connected network with blocks of {_listed(part.get('blocks') or ())} layers, "
                f"growth rate {part.get('growth_rate')} and {part.get('init_features')} first "
                f"channels{_dropout(part)}."
            )
        case "unet":
            return (
                f"A 3D U-Net with {_listed(part.get('channels') or ())} channels, "
                f"{part.get('residual_units')} residual units a level and {part.get('norm')} "
                f"normalisation{_dropout(part)}."
            )
        case "dynunet":
            supervised = int(part.get("deep_supervision") or 0)
            extra = f" and deep supervision of {supervised} coarser levels" if supervised else ""
            residual = "residual " if part.get("residual") else ""
            return (
                f"A {residual}3D DynUNet (the U-Net of nnU-Net) with "
                f"{_listed(part.get('channels') or ())} channels, {part.get('norm')} normalisation{extra}."
            )
        case "custom":
            return f"A network of the authors' own: {part.get('target')}."
    return f"Model: {part.get('kind', 'not recorded')}."


def _training(study: Mapping[str, Any], segmentation: bool) -> str:
    part = _part(study, "training")
    if not part:
        return ""
    optimizer = _part(part, "optimizer")
    name = {"adamw": "AdamW", "sgd": "stochastic gradient descent"}.get(str(optimizer.get("kind")), "")
    steps = part.get("steps_per_epoch")
    text = (
        f"{part.get('epochs')} epochs{f' of {steps} steps' if steps else ''} with batches of "
        f"{part.get('batch_size')}"
    )
    if part.get("patch_voxels"):
        text += f" patches of {_times(part['patch_voxels'])} voxels"
    if name:
        text += f", {name} with learning rate {optimizer.get('learning_rate'):g} and weight decay "
        text += f"{optimizer.get('weight_decay', 0):g}"
    schedule = str(_part(part, "schedule").get("kind") or "")
    text += f", {schedule} learning-rate schedule" if schedule else ""
    sentences = [
        text,
        _loss(part, segmentation),
        *_refinements(part),
        _augmentation(_part(study, "augmentation")),
        _inner_of(study),
    ]
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def _loss(part: _Part, segmentation: bool) -> str:
    if segmentation:
        return (
            f"The loss was {part.get('dice_weight', 1):g} × soft Dice + "
            f"{part.get('cross_entropy_weight', 1):g} × cross-entropy"
        )
    extras = []
    if part.get("class_weights") == "balanced":
        extras.append("balanced class weights")
    if part.get("label_smoothing"):
        extras.append(f"label smoothing {part['label_smoothing']:g}")
    return "The loss was binary cross-entropy" + (f" with {_listed(extras)}" if extras else "")


def _refinements(part: _Part) -> list[str]:
    sentences = []
    if part.get("ema_decay"):
        sentences.append(
            f"A moving average of the weights (decay {part['ema_decay']:g}) was used for prediction"
        )
    if part.get("early_stopping"):
        patience = _part(part, "early_stopping").get("patience_epochs")
        sentences.append(f"Training stopped after {patience} epochs without a better validation figure")
    return sentences


def _augmentation(part: _Part) -> str:
    words = {
        "flip_axes": "mirroring of the axes {}",
        "rotate_deg": "rotation by up to {}°",
        "scale": "scaling by ±{}",
        "translate_voxels": "shifts of up to {} voxels",
        "noise_std": "noise of standard deviation up to {}",
        "brightness": "brightness ±{}",
        "contrast": "contrast ±{}",
        "gamma": "gamma ±{}",
        "mixup_alpha": "mixup (α = {})",
    }
    used = [text.format(_value(part[key])) for key, text in words.items() if _is_set(key, part.get(key))]
    return f"Random changes of the training cases: {_listed(used)}" if used else "No augmentation was used"


def _inner_of(study: Mapping[str, Any]) -> str:
    """How training parts were divided, where the split itself does not say so."""
    split = _part(study, "split")
    if split.get("inner_folds"):
        return ""
    if split.get("validation_values"):
        named = _listed(split["validation_values"])
        return f"Validation and threshold used the official validation part ({named})"
    return _inner(_part(_part(study, "training"), "inner"))


def _inner(part: _Part) -> str:
    match part.get("kind"):
        case "holdout":
            return (
                f"Of each training part, {100 * float(part.get('fraction', 0)):g}% of the patients were set "
                "aside to validate"
            )
        case "cross_fit":
            return (
                f"Within each training part, {part.get('folds')} members were trained on inner folds and "
                "their predictions averaged; training cases were scored by members that did not see them"
            )
    return ""


def _prediction(part: _Part) -> str:
    if not part:
        return ""
    window = part.get("window_voxels")
    text = "The network was applied to the whole preprocessed volume"
    if window:
        text = f"The network was applied in sliding windows of {_times(window)} voxels"
        text += f" with {100 * float(part.get('overlap', 0)):g}% overlap"
    axes = list(part.get("mirror_axes") or ())
    return text + (f", averaged over mirrorings of the axes {_listed(axes)}." if axes else ".")


def _threshold(study: Mapping[str, Any]) -> str:
    rule = str(_part(study, "evaluation").get("threshold") or "")
    if not rule:
        return ""
    return (
        f"The threshold of each fold was chosen within its training part ({print_rule(rule)}) and then "
        "applied to its test part; no test case had a say in it."
    )


def _comparators(study: Mapping[str, Any]) -> str:
    models = [
        f"“{entry['name']}”: {_listed(entry.get('covariates') or ())}"
        + (" and the score of the image model" if entry.get("with_image") else "")
        for entry in study.get("comparators") or ()
    ]
    if not models:
        return ""
    inputs = "; ".join(models)
    return f"Logistic regressions fitted on the training part of each fold, with the inputs: {inputs}."


def _statistics(contents: RunContents) -> str:
    level = f"{100 * contents.level:g}%"
    methods: dict[str, list[str]] = {}
    for estimate in contents.estimates:
        methods.setdefault(estimate.method or "not recorded", [])
        label = measure(estimate.metric).label
        if label not in methods[estimate.method or "not recorded"]:
            methods[estimate.method or "not recorded"].append(label)
    listed = "; ".join(f"{method} ({', '.join(metrics)})" for method, metrics in methods.items())
    tests = list(dict.fromkeys(comparison.method for comparison in contents.comparisons if comparison.method))
    text = "The unit of independence is the patient. "
    text += f"Intervals are {level} confidence intervals: {listed or 'none'}."
    if tests:
        text += f" Comparisons: {'; '.join(tests)}; two-sided."
    return (
        f"{text} Unless a method says otherwise, intervals take the fitted models as given: they say what "
        "another sample of test patients would have shown, not what another training would have."
    )


def _software(record: Mapping[str, Any]) -> str:
    versions = _part(record, "versions")
    wanted = ("python", "torch", "monai", "lightning", "numpy", "scikit-learn", "scipy")
    named = [f"{name} {versions[name]}" for name in wanted if name in versions]
    with_others = f" with {_listed(named)}" if named else ""
    return f"medvision {record.get('medvision', '(version not recorded)')}{with_others}."


def _dropout(part: _Part) -> str:
    return f", dropout {part['dropout']:g}" if part.get("dropout") else ""


def _part(parent: Mapping[str, Any], name: str) -> _Part:
    found = parent.get(name)
    return found if isinstance(found, Mapping) else {}


def _times(sizes: Sequence[float] | None) -> str:
    return " × ".join(f"{size:g}" for size in sizes or ()) or "unrecorded"


def _listed(items: Sequence[object]) -> str:
    texts = [str(item) for item in items]
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " and " + texts[-1] if texts else "none"


def _is_set(key: str, value: object) -> bool:
    # Axis 0 is a setting; a rotation by 0° is none.
    if key != "flip_axes" and isinstance(value, (list, tuple)):
        return any(value)
    return bool(value)


def _value(value: object) -> str:
    return ", ".join(f"{item:g}" for item in value) if isinstance(value, (list, tuple)) else f"{value}"
