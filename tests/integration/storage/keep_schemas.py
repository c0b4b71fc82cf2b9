"""Writes the schemas of both databases to tests/golden/schema, after a new migration."""

from storage.migrate import upgrade
from tests.databases import DIALECTS, database, engine_of
from tests.integration.storage.schemas import GOLDEN, dump


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for dialect in DIALECTS:
        with database(dialect, blank=True) as url:
            engine = engine_of(url)
            upgrade(engine)
            (GOLDEN / f"{dialect}.txt").write_text(dump(engine), encoding="utf-8")
            engine.dispose()


if __name__ == "__main__":
    main()
