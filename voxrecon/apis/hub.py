# SPDX-License-Identifier: MIT
"""Model folders on the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import huggingface_hub

from voxrecon.errors import CheckpointError

from .model_folder import FILES, brief, read_model_config


def load_from_hub(repo: str, revision: str | None = None, token: str | None = None) -> Path:
    """The files of a model folder on the hub, in its cache: a folder for ``read_model_folder``.

    Other files of the repository are not fetched. Without a connection what is in the cache is
    taken.

    Args:
        repo: ``"user/name"``.
        revision: A branch, tag or commit.
        token: For a private repository; None: the one that ``hf auth login`` has stored.

    Raises:
        CheckpointError: It cannot be fetched, or is no model folder.
    """
    with _reporting(repo, "fetched from"):
        folder = huggingface_hub.snapshot_download(
            repo, revision=revision, token=token, allow_patterns=list(FILES)
        )
    read_model_config(folder)
    return Path(folder)


def push_folder(
    folder: str | Path, repo: str, private: bool = False, token: str | None = None
) -> str:
    """Upload a model folder to the hub, whose repository is made where there is none.

    Returns:
        Its address.

    Raises:
        CheckpointError: No model folder, one with links in it, or the hub refuses.
    """
    folder = Path(folder)
    read_model_config(folder)
    for name in FILES:
        if (folder / name).is_symlink():  # to what may be nobody else's business
            raise CheckpointError(f"{folder / name}: a link, expected a file to upload")
    with _reporting(repo, "uploaded to"):
        api = huggingface_hub.HfApi(token=token)
        address = api.create_repo(repo, private=private, exist_ok=True)
        api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            allow_patterns=list(FILES),
            commit_message="Model of voxrecon",
        )
    return str(address)


@contextmanager
def _reporting(repo: str, what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the hub raises whatever its HTTP client raises, too
        reason = " ".join(str(error).split())
        raise CheckpointError(
            f"{repo}: cannot be {what} the hub ({type(error).__name__}: {brief(reason)})"
        ) from error
