"""A database's schema in its own words, one object after another, for comparing and keeping."""

from pathlib import Path

from sqlalchemy import Engine, text

GOLDEN = Path(__file__).resolve().parent.parent.parent / "golden" / "schema"

SQLITE = """
    SELECT type || ' ' || name AS name, sql AS words FROM sqlite_master
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'alembic_%'
    """
POSTGRESQL = """
    SELECT 'column ' || c.relname || '.' || a.attname AS name,
        format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
        || COALESCE(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') AS words
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
        AND NOT a.attisdropped AND c.relname NOT LIKE 'alembic_%'
    UNION ALL
    SELECT 'constraint ' || c.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'alembic_%'
        AND k.contype <> 'n'
    UNION ALL
    SELECT 'index ' || indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename NOT LIKE 'alembic_%'
    UNION ALL
    SELECT 'trigger ' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT 'function ' || proname, pg_get_functiondef(oid) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'table ' || tablename, '' FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT LIKE 'alembic_%'
    """


def schema(engine: Engine) -> dict[str, str]:
    """Kind and name of every object of ours, with what the database says of it."""
    query = SQLITE if engine.dialect.name == "sqlite" else POSTGRESQL
    with engine.connect() as connection:
        found = connection.execute(text(query)).all()
    return {row.name: " ".join(row.words.split()) for row in found}


def dump(engine: Engine) -> str:
    return "".join(f"{name}: {words}\n" for name, words in sorted(schema(engine).items()))
