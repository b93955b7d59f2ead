"""medvision: reproducible radiology AI studies."""
__version__ = "0.1.0"
