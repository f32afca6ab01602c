"""The component in a host of components, with nothing of the world linked to it."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker

INTERFACE = "sluice:translate/translation@0.1.0"
COMPONENT = Path(os.environ["SLUICE_COMPONENT"])


class Translation:
    """The functions of the interface, under their names in WIT."""

    def __init__(self, engine: Engine, component: Component) -> None:
        linker = Linker(engine)
        # The standard library imports WASI. Translation needs none of it: a call would be the end.
        linker.define_unknown_imports_as_traps(component)
        self.store = Store(engine)
        self.instance = linker.instantiate(self.store, component)
        self.interface = self.instance.get_export_index(self.store, INTERFACE)

    def call(self, name: str, *arguments):
        index = self.instance.get_export_index(self.store, name, self.interface)
        function = self.instance.get_func(self.store, index)
        return function(self.store, *arguments)

    def request(self, kind: str, body: bytes, path="/v1/chat/completions", model=None, api=None):
        options = SimpleNamespace(model=model, api=api)
        return self.call("translate-request", path, kind, options, body)

    def response(self, exchange, content_type: str, status: int = 200) -> "Response":
        return Response(self, self.call("[constructor]response", exchange, status, content_type))


class Response:
    def __init__(self, translation: Translation, handle) -> None:
        self.translation = translation
        self.handle = handle

    @property
    def head(self):
        return self.translation.call("[method]response.head", self.handle)

    def push(self, piece: bytes) -> bytes:
        return self.translation.call("[method]response.push", self.handle, piece)

    def finish(self):
        return self.translation.call("[static]response.finish", self.handle)


@pytest.fixture(scope="session")
def compiled() -> tuple[Engine, Component]:
    engine = Engine()
    return engine, Component.from_file(engine, str(COMPONENT))


@pytest.fixture
def translation(compiled: tuple[Engine, Component]) -> Translation:
    return Translation(*compiled)
