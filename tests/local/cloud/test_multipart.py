"""multipart/related bodies, however the network cuts them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cloud.http import ApiError
from local.cloud.multipart import boundary_of, read_related


def split(data: bytes, sizes: list[int]) -> list[bytes]:
    chunks, rest = [], data
    for size in sizes:
        chunks.append(rest[:size])
        rest = rest[size:]
    return [*chunks, rest]


def read(chunks: list[bytes], content_type: str = "multipart/related; boundary=cut"):
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def run():
        related = await read_related(content_type, stream())
        return related.resource, related.media_type, b"".join([c async for c in related.media])

    return asyncio.run(run())


@given(
    media=st.binary(max_size=200),
    eol=st.sampled_from([b"\r\n", b"\n"]),
    epilogue=st.sampled_from([b"", b"\r\n"]),
    sizes=st.lists(st.integers(1, 40), max_size=12),
)
def test_the_media_comes_out_whole(media, eol, epilogue, sizes) -> None:
    head = [b"--cut", b"Content-Type: application/json", b"", b'{"name": "x"}']
    head += [b"--cut", b"Content-Type: text/csv", b"", b""]
    if eol == b"\n":
        # Bare line feeds leave a trailing carriage return of the media ambiguous.
        media = media.rstrip(b"\r")
    body = eol.join(head) + media + eol + b"--cut--" + epilogue
    assert read(split(body, sizes)) == ({"name": "x"}, "text/csv", media)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/related; boundary=plain", b"plain"),
        ('multipart/related; boundary="==a b=="', b"==a b=="),
        ("multipart/related; boundary='===1=='", b"===1=="),
    ],
)
def test_boundaries_as_clients_quote_them(content_type: str, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--cut\r\n\r\n{}\r\n",
        b"--cut\r\n\r\nnot json\r\n--cut\r\n\r\nx\r\n--cut--",
        b"--cut\r\n\r\n[]\r\n--cut\r\n\r\nx\r\n--cut--",
        b"--cut\r\n\r\n{}\r\n--cut\r\n\r\nx",
    ],
)
def test_a_malformed_body_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError, match="Malformed multipart"):
        read([body])


def test_a_content_type_without_boundary_is_refused() -> None:
    with pytest.raises(ApiError, match="no boundary"):
        boundary_of("multipart/related")
