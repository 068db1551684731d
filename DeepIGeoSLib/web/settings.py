"""What a server is started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from DeepIGeoSLib.web.private_folder import private_folder
from DeepIGeoSLib.web.token import new_token

LOCALHOST = "127.0.0.1"
DEFAULT_LIMIT = 2 * 1024**3


@dataclass(frozen=True)
class WebSettings:
    """How the tool is served.

    Attributes:
        path: an image, a folder of DICOM files, or a folder of cases; None for none.
        host: address to listen at; other computers reach the server at any but the default.
        port: to listen at; a free one when 0.
        token: the secret in the address of the page.
        browser: whether to open the page in the browser of this computer.
        upload_limit: bytes of one upload, all of its files together.
        demo: whether to open the case that comes with the program.
        replay: a recording to be done again on the image; None for none.
        private: folder for uploads and autosaves, which only this user can read.
    """

    path: Path | None = None
    host: str = LOCALHOST
    port: int = 0
    token: str = field(default_factory=new_token, repr=False)
    browser: bool = True
    upload_limit: int = DEFAULT_LIMIT
    demo: bool = False
    replay: Path | None = None
    private: Path = field(default_factory=private_folder)
