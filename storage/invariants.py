"""What must hold of the money, each as a query for the rows that break it.

Plain SQL on purpose: it shares no code with the ledger it checks.
"""

from sqlalchemy import Connection, text

# (what is said of a row that breaks the rule, the rows that break it)
INVARIANTS = (
    (
        "budget {row}: committed is {found} nanos, its ledger entries sum to {expected}",
        """
        SELECT * FROM (
            SELECT b.id AS row, b.committed_nanos AS found, (
                SELECT COALESCE(SUM(e.nanos), 0) FROM ledger_entries e
                JOIN hold_budgets hb ON hb.hold_id = e.hold_id WHERE hb.budget_id = b.id
            ) AS expected
            FROM budgets b WHERE b.pilot_id = :pilot
        ) AS sums WHERE found <> expected
        """,
    ),
    (
        "budget {row}: held is {found} nanos, its open holds sum to {expected}",
        """
        SELECT * FROM (
            SELECT b.id AS row, b.held_nanos AS found, (
                SELECT COALESCE(SUM(h.nanos), 0) FROM holds h
                JOIN hold_budgets hb ON hb.hold_id = h.id
                WHERE hb.budget_id = b.id AND h.state = 'open'
            ) AS expected
            FROM budgets b WHERE b.pilot_id = :pilot
        ) AS sums WHERE found <> expected
        """,
    ),
    (
        "budget {row}: committed and held come to {found} nanos, its limit is {expected}",
        """
        SELECT id AS row, committed_nanos + held_nanos AS found, limit_nanos AS expected
        FROM budgets WHERE pilot_id = :pilot AND committed_nanos + held_nanos > limit_nanos
        """,
    ),
    (
        "hold {row}: it is held under {found} budgets of the pilot as a whole, expected {expected}",
        """
        SELECT h.id AS row, COUNT(b.id) AS found, 1 AS expected FROM holds h
        LEFT JOIN hold_budgets hb ON hb.hold_id = h.id
        LEFT JOIN budgets b ON b.id = hb.budget_id AND b.scope = 'pilot'
        WHERE h.pilot_id = :pilot GROUP BY h.id HAVING COUNT(b.id) <> 1
        """,
    ),
    (
        "hold {row}: it is {state} and has {found} ledger entries, expected {expected}",
        """
        SELECT * FROM (
            SELECT h.id AS row, h.state AS state, COUNT(e.id) AS found,
                CASE WHEN h.state = 'open' THEN 0 ELSE 1 END AS expected
            FROM holds h LEFT JOIN ledger_entries e ON e.hold_id = h.id
            WHERE h.pilot_id = :pilot GROUP BY h.id, h.state
        ) AS counts WHERE found <> expected
        """,
    ),
    (
        "hold {row}: it holds {found} nanos, the quote of its answer is {expected}",
        """
        SELECT h.id AS row, h.nanos AS found, d.quote_nanos AS expected
        FROM holds h JOIN decisions d ON d.answer_id = h.answer_id
        WHERE h.pilot_id = :pilot AND h.nanos <> d.quote_nanos
        """,
    ),
    (
        "answer {row}: it is {state} and has {found} holds open, expected {expected}",
        """
        SELECT * FROM (
            SELECT a.id AS row, a.status AS state, COUNT(h.id) AS found,
                CASE WHEN a.status = 'running' THEN 1 ELSE 0 END AS expected
            FROM answers a LEFT JOIN holds h ON h.answer_id = a.id AND h.state = 'open'
            WHERE a.pilot_id = :pilot GROUP BY a.id, a.status
        ) AS counts WHERE found <> expected
        """,
    ),
    (
        "answer {row}: it is {state} and has {found} ledger entries, expected {expected}",
        """
        SELECT * FROM (
            SELECT a.id AS row, a.status AS state, COUNT(e.id) AS found,
                CASE WHEN a.status IN ('running', 'refused') THEN 0 ELSE 1 END AS expected
            FROM answers a LEFT JOIN ledger_entries e ON e.answer_id = a.id
            WHERE a.pilot_id = :pilot GROUP BY a.id, a.status
        ) AS counts WHERE found <> expected
        """,
    ),
    (
        "answer {row}: its cost is {found} nanos, its charges sum to {expected}",
        """
        SELECT * FROM (
            SELECT a.id AS row, a.cost_nanos AS found, COALESCE(SUM(e.nanos), 0) AS expected
            FROM answers a LEFT JOIN ledger_entries e ON e.answer_id = a.id
            WHERE a.pilot_id = :pilot GROUP BY a.id, a.cost_nanos
        ) AS costs WHERE found <> expected
        """,
    ),
    (
        "ledger entry {row}: it charges {found} nanos, {expected} were held",
        """
        SELECT e.id AS row, e.nanos AS found, h.nanos AS expected
        FROM ledger_entries e JOIN holds h ON h.id = e.hold_id
        WHERE e.pilot_id = :pilot AND e.nanos > h.nanos
        """,
    ),
    (
        "ledger entry {row}: its units are not those of answer {found}",
        """
        SELECT e.id AS row, a.id AS found
        FROM ledger_entries e JOIN answers a ON a.id = e.answer_id
        WHERE e.pilot_id = :pilot AND (e.prompt_tokens <> a.prompt_tokens
            OR e.decode_tokens <> a.decode_tokens OR e.nfe <> a.nfe)
        """,
    ),
    (
        "ledger entry {row}: it charges {found} nanos, its units cost {expected} on its price list",
        """
        SELECT * FROM (
            SELECT e.id AS row, e.nanos AS found, h.nanos AS held, h.state AS state,
                e.prompt_tokens * p.prompt_token_nanos + e.decode_tokens * p.decode_token_nanos
                + e.nfe * p.nfe_nanos AS expected
            FROM ledger_entries e
            JOIN holds h ON h.id = e.hold_id
            JOIN price_lists p ON p.pilot_id = e.pilot_id AND p.version = e.price_version
            WHERE e.pilot_id = :pilot
        ) AS charges
        WHERE found <> expected AND NOT (state = 'expired' AND found = held AND expected > held)
        """,
    ),
)


def broken(connection: Connection, pilot_id: str) -> list[str]:
    """A sentence for every row that breaks an invariant; empty when all hold."""
    return [
        message.format(**row)
        for message, query in INVARIANTS
        for row in connection.execute(text(query), {"pilot": pilot_id}).mappings()
    ]
