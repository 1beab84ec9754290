"""When a request to a server is sent again."""

from __future__ import annotations

import pytest

from ringline.workers.retry import MAX_PAUSE_S, PAUSE_S, is_refusal, retry_pause_s


@pytest.mark.parametrize("status", [None, 429, 500, 503, 529])
def test_what_may_pass_is_tried_once_more(status: int | None) -> None:
    assert retry_pause_s(0, status) == PAUSE_S
    assert retry_pause_s(1, status) is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_will_not_change_is_not_tried_again(status: int) -> None:
    assert retry_pause_s(0, status) is None


def test_servers_wish_is_granted_if_the_caller_can_wait_for_it() -> None:
    assert retry_pause_s(0, 429, "0.5") == 0.5
    assert retry_pause_s(0, 429, str(MAX_PAUSE_S + 1)) is None


@pytest.mark.parametrize("header", ["Fri, 31 Dec 1999 23:59:59 GMT", "nan", "-1", "", "soon"])
def test_header_that_is_no_short_time_means_no(header: str) -> None:
    assert retry_pause_s(0, 429, header) is None


@pytest.mark.parametrize(("status", "refused"), [(400, True), (422, True), (429, False), (500, False), (None, False)])
def test_refusal_is_what_will_not_change(status: int | None, refused: bool) -> None:
    assert is_refusal(status) is refused
