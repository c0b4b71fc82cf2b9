"""Names, goods and other words the tasks are filled with. Data only."""

from __future__ import annotations

NAMES = (
    "Anna", "Ben", "Chloe", "David", "Emma", "Farid", "Grace", "Hiro", "Ines", "Jack", "Kenji",
    "Laura", "Maria", "Nadia", "Omar", "Paula", "Quinn", "Rosa", "Sam", "Tina", "Umar", "Vera",
    "Will", "Yuki", "Zoe",
)  # fmt: skip
SURNAMES = (
    "Adams", "Baker", "Costa", "Diaz", "Evans", "Fischer", "Green", "Hall", "Ito", "Jones",
    "Kim", "Lopez", "Miller", "Novak", "Olsen", "Patel", "Reed", "Silva", "Tanaka", "Weber",
    "Young",
)  # fmt: skip
ITEMS = (
    "pens", "notebooks", "folders", "labels", "mugs", "cables", "lamps", "chairs", "badges",
    "batteries", "filters", "gloves", "helmets", "keys", "masks", "plates", "screws", "shirts",
    "stickers", "tiles", "towels", "valves", "bottles", "brushes", "candles", "cups",
    "envelopes",
)  # fmt: skip
PACKS = ("packs", "boxes", "cartons", "crates", "cases", "bundles", "trays", "sets")
CLIENTS = (
    "Acme", "Alder", "Birch", "Borealis", "Cedar", "Cobalt", "Delta", "Ember", "Falcon",
    "Garnet", "Harbor", "Iris", "Juniper", "Kestrel", "Lumen", "Maple", "Nimbus", "Orion",
    "Pioneer", "Quartz", "Ridge", "Summit", "Tundra", "Vertex", "Willow", "Zenith",
)  # fmt: skip
SUFFIXES = ("Ltd", "Inc", "Group", "Foods", "Labs", "Works", "Trading", "Media", "Logistics")
CITIES = (
    "Austin", "Berlin", "Cairo", "Denver", "Dublin", "Geneva", "Hamburg", "Kyoto", "Lima",
    "Lisbon", "London", "Madrid", "Milan", "Nairobi", "Osaka", "Oslo", "Paris", "Prague",
    "Rome", "Seoul", "Sydney", "Tokyo", "Toronto", "Vienna", "Warsaw",
)  # fmt: skip
WORDS = (
    "apple", "anchor", "banana", "basket", "bridge", "cable", "candle", "cherry", "copper",
    "desk", "diamond", "engine", "fabric", "ferry", "garden", "glass", "hammer", "honey",
    "island", "jacket", "kettle", "ladder", "lemon", "marble", "mirror", "needle", "olive",
    "orange", "paper", "pencil", "quilt", "ribbon", "river", "saddle", "silver", "table",
    "ticket", "timber", "umbrella", "velvet", "violin", "wagon", "window", "yarn", "zipper",
)  # fmt: skip
TEAMS = ("sales", "support", "finance", "design", "legal", "marketing", "purchasing", "quality")
STATUSES = ("open", "paid", "shipped", "pending", "closed", "cancelled", "approved", "late")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
