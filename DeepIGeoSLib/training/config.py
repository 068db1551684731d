"""Training configurations: files that are read and checked."""

from __future__ import annotations

from pathlib import Path

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks.presets import network_of_preset
from DeepIGeoSLib.settings import from_mapping, read_mapping
from DeepIGeoSLib.training.config_checks import wrong_values
from DeepIGeoSLib.training.settings import TrainingSettings


def read_config(path: str | Path) -> TrainingSettings:
    """Read a training configuration, JSON or YAML; relative paths in it start at its own folder.

    Raises:
        InputError: the file is missing or not valid, or holds an unknown key or wrong values.
    """
    return checked_config(read_config_mapping(path), str(path))


def read_config_mapping(path: str | Path) -> object:
    """Return what a configuration file says, in today's words: older ones name a preset.

    Raises:
        InputError: the file is missing or not valid, or names no preset that there was.
    """
    mapping = read_mapping(path)
    if not isinstance(mapping, dict):
        return mapping
    network = mapping.get("network")
    if not isinstance(network, dict) or not {"preset", "features"} & set(network):
        return mapping
    try:
        return {**mapping, "network": network_of_preset(network)}
    except InputError as error:
        raise InputError(f"{path}: network: {error}") from error


def checked_config(mapping: object, where: str, has_pnet: bool = False) -> TrainingSettings:
    """Return the settings of a mapping.

    Args:
        mapping: what a reader of JSON or YAML returned.
        where: how to name it in errors.
        has_pnet: whether R-Net's training has a P-Net though the configuration names none.

    Raises:
        InputError: an unknown key or wrong values.
    """
    settings = from_mapping(TrainingSettings, mapping, where)
    wrong = wrong_values(settings, has_pnet)
    if wrong:
        raise InputError(f"{where}: {'; '.join(wrong)}.")
    return settings
