"""One array per test, and the plugin that the test is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from .scene import ALL, ON_ELEMENT, PLUGINS, Scene

OpenScene = Callable[..., Scene]


@pytest.fixture
def open_scene() -> Iterator[OpenScene]:
    with ExitStack() as opened:

        def open_one(plugin: str, **settings: object) -> Scene:
            return opened.enter_context(closing(Scene(ALL[plugin], **settings)))

        yield open_one


@pytest.fixture(params=PLUGINS)
def scene(request: pytest.FixtureRequest, open_scene: OpenScene) -> Scene:
    return open_scene(request.param)


@pytest.fixture
def solidfire(open_scene: OpenScene) -> Scene:
    return open_scene("solidfire")


@pytest.fixture(params=ON_ELEMENT)
def element(request: pytest.FixtureRequest, open_scene: OpenScene) -> Scene:
    return open_scene(request.param)


@pytest.fixture
def zadara(open_scene: OpenScene) -> Scene:
    return open_scene("zadara")
