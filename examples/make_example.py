#!/usr/bin/env python3
"""Writes shop.jsonl: the runtime configuration and features of an invented online shop.

Deterministic: the same script writes the same bytes, so the file in the tree can be checked
against it (make_example.py --check).

    examples/make_example.py [--check]
"""
import json
import pathlib
import random
import sys

TARGET = pathlib.Path(__file__).resolve().parent / "shop.jsonl"
COUNTRIES = ["at", "be", "ch", "de", "dk", "es", "fr", "it", "nl", "pl", "se", "uk"]
CURRENCY = {"ch": "CHF", "dk": "DKK", "pl": "PLN", "se": "SEK", "uk": "GBP"}
MATERIALS = ["Oak", "Linen", "Steel", "Glass", "Wool", "Cork", "Bamboo", "Clay"]
THINGS = {
    "kitchen": ["Bowl", "Board", "Kettle", "Jar", "Pan"],
    "living": ["Lamp", "Cushion", "Shelf", "Vase", "Throw"],
    "office": ["Tray", "Stand", "Clock", "Bin", "Frame"],
    "garden": ["Planter", "Bench", "Lantern", "Trowel", "Basket"],
}
FLAGS = [
    "new-checkout", "guest-orders", "gift-wrap", "express-delivery", "dark-mode", "live-stock",
    "recommendations", "reviews", "wish-lists", "price-alerts", "click-and-collect", "instalments",
    "address-lookup", "basket-sharing", "sms-updates", "image-search", "loyalty-points", "quick-buy",
]
TEXTS = {
    "greeting": {"de": "Willkommen", "en": "Welcome", "es": "Bienvenidos", "fr": "Bienvenue",
                 "it": "Benvenuti", "nl": "Welkom", "pl": "Witamy"},
    "basket": {"de": "Warenkorb", "en": "Basket", "es": "Cesta", "fr": "Panier", "it": "Carrello",
               "nl": "Winkelwagen", "pl": "Koszyk"},
    "checkout": {"de": "Zur Kasse", "en": "Check out", "es": "Pagar", "fr": "Commander",
                 "it": "Alla cassa", "nl": "Afrekenen", "pl": "Do kasy"},
    "sold-out": {"de": "Ausverkauft", "en": "Sold out", "es": "Agotado", "fr": "Épuisé",
                 "it": "Esaurito", "nl": "Uitverkocht", "pl": "Wyprzedane"},
    "delivery": {"de": "Lieferung", "en": "Delivery", "es": "Envío", "fr": "Livraison",
                 "it": "Consegna", "nl": "Bezorging", "pl": "Dostawa"},
    "search": {"de": "Suchen", "en": "Search", "es": "Buscar", "fr": "Rechercher", "it": "Cerca",
               "nl": "Zoeken", "pl": "Szukaj"},
}


def string(key, value):
    return {"key": key, "type": "string", "string_record": {"value": value}}


def fields(key, values):
    return {"key": key, "type": "hash", "hash_record": {"fields": values}}


def elements(key, kind, values):
    return {"key": key, "type": kind, kind + "_record": {"elements": values}}


def ranking(key, scores):
    members = [{"value": member, "score": score} for member, score in scores]
    return {"key": key, "type": "zset", "ordered_set_record": {"elements": members}}


def settings():
    yield string("config/release", "2026.11.2")
    yield string("config/currency", "EUR")
    yield string("config/session-minutes", 45)
    yield string("config/free-delivery-from", "49.90")
    yield string("config/maintenance", False)
    yield string("config/banner", "Free delivery on everything made of oak until Sunday 🌳")
    for country in COUNTRIES:
        yield string(f"currency/{country}", CURRENCY.get(country, "EUR"))


def flags(dice):
    for flag in FLAGS:
        rollout = dice.choice([0, 5, 10, 25, 50, 100, 100])
        yield fields(f"flag/{flag}", {
            "enabled": rollout > 0,
            "rollout": rollout,
            "owner": dice.choice(["checkout", "catalogue", "search", "delivery"]),
            "salt": f"{dice.getrandbits(32):08x}",
        })


def translations():
    for text, languages in TEXTS.items():
        for language, words in languages.items():
            yield string(f"text/{language}.{text}", words)


def products(dice):
    number = 1000
    for category, things in THINGS.items():
        in_category = []
        for material in MATERIALS:
            for thing in things:
                number += 1
                sku = f"P{number}"
                in_category.append(sku)
                yield fields(f"product/{sku}", {
                    "name": f"{material} {thing}",
                    "category": category,
                    "price": f"{dice.randrange(499, 24900) / 100:.2f}",
                    "vat": "0.19",
                    "weight_g": dice.randrange(80, 9000),
                    "stock": dice.choice([0, 3, 12, 40, 250]),
                    "active": dice.random() < 0.95,
                })
        yield elements(f"category/{category}", "list", in_category)
        best = dice.sample(in_category, 20)
        yield ranking(f"bestseller/{category}",
                      [(sku, round(dice.uniform(1, 500), 1)) for sku in best])


def operations(dice):
    plans = {"anonymous": 30, "customer": 120, "partner": 1200, "internal": "inf"}
    yield ranking("limit/requests-per-minute", list(plans.items()))
    for path in ["search", "basket", "checkout", "login", "reviews", "stock"]:
        yield fields(f"limit/{path}", {"per_minute": dice.choice([10, 60, 300, 1000]),
                                       "burst": dice.choice([5, 20, 50]),
                                       "block_seconds": dice.choice([30, 60, 300])})
    for service in ["basket", "payment", "search", "mail"]:
        hosts = [f"{service}-{n}.{zone}.shop.example:8080" for zone in ("a", "b") for n in (1, 2, 3)]
        yield elements(f"route/{service}", "list", hosts)
    yield elements("allow/payment-methods", "set", ["card", "invoice", "paypal", "sepa", "twint"])
    yield elements("allow/admins", "set", ["ada", "barbara", "edsger", "grace", "tony"])
    for country in COUNTRIES:
        codes = sorted({f"{country.upper()}{dice.randrange(10, 99)}" for _ in range(8)})
        yield elements(f"allow/express-{country}", "set", codes)


def experiments(dice):
    for name in ["button-colour", "free-returns", "search-ranking", "short-form", "upsell"]:
        variants = [("control", 50), ("a", 25), ("b", 25)]
        yield ranking(f"experiment/{name}", variants)
    # More members than the 128 from which a set gets an index of its own.
    buyers = sorted({f"u{dice.randrange(10_000, 99_999)}" for _ in range(400)})
    yield elements("segment/repeat-buyers", "set", buyers)


def records():
    dice = random.Random(2026)
    yield from settings()
    yield from flags(dice)
    yield from translations()
    yield from products(dice)
    yield from operations(dice)
    yield from experiments(dice)


def main():
    lines = [json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in records()]
    text = "\n".join(lines) + "\n"
    if sys.argv[1:] == ["--check"]:
        if TARGET.read_text(encoding="utf-8") != text:
            sys.exit(f"{TARGET.name} is not what this script writes: run it without --check")
        return
    if sys.argv[1:]:
        sys.exit(__doc__)
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET.name}: {len(lines)} records, {len(text.encode())} bytes")


if __name__ == "__main__":
    main()
