"""The industries that attribute `industry` can name, and what codes of the usual schemes mean in them."""

from __future__ import annotations

from collections.abc import Iterable

INDUSTRIES: dict[str, str] = {
    "software": "software, internet services and computing as a service",
    "it_services": "consulting, integration and operation of information technology",
    "hardware": "computers, electronics, semiconductors and robots",
    "telecommunications": "networks and telephony",
    "media": "publishing, film, music, games and broadcasting",
    "marketing": "advertising, marketing and market research agencies",
    "financial_services": "banks, payments, investment and funds",
    "insurance": "insurers and brokers of insurance",
    "real_estate": "sale, letting and management of property",
    "construction": "building, civil engineering and building trades",
    "healthcare": "hospitals, practices, care and services for them",
    "life_sciences": "pharmaceuticals, biotechnology and medical devices",
    "education": "schools, universities, training",
    "government": "public administration, defence forces and international bodies",
    "non_profit": "charities, associations, religious bodies",
    "legal": "law firms and legal services",
    "professional_services": "accounting, consulting, engineering, design and research services",
    "staffing": "recruiting, temporary work and human resources services",
    "retail": "shops, on the street and on the web",
    "wholesale": "trade between companies",
    "consumer_goods": "clothing, cosmetics, furniture, household goods",
    "food_and_beverage": "making of food, drinks and tobacco",
    "hospitality": "restaurants, hotels, travel and leisure",
    "transportation": "carriage of people and goods, logistics",
    "automotive": "vehicles, their parts, dealers and repair",
    "aerospace_and_defence": "aircraft, spacecraft and arms",
    "manufacturing": "machines, metal and other industrial goods",
    "chemicals": "chemicals, plastics, paper and other materials",
    "energy": "oil, gas, power, water and waste",
    "mining": "mining and quarrying",
    "agriculture": "farming, forestry and fishing",
}
"""Industry → what belongs to it."""

_NAICS = {
    "11": "agriculture", "21": "mining", "211": "energy", "2121": "mining", "213111": "energy", "213112": "energy",
    "22": "energy", "23": "construction", "31": "consumer_goods", "311": "food_and_beverage",
    "312": "food_and_beverage", "32": "chemicals", "321": "manufacturing", "323": "manufacturing", "324": "energy",
    "3254": "life_sciences", "327": "manufacturing", "33": "manufacturing", "334": "hardware",
    "3345": "hardware", "334510": "life_sciences", "336": "automotive", "3364": "aerospace_and_defence",
    "3365": "manufacturing", "3366": "manufacturing", "337": "consumer_goods", "3391": "life_sciences",
    "3399": "consumer_goods", "42": "wholesale", "44": "retail", "441": "automotive", "45": "retail",
    "48": "transportation", "49": "transportation", "486": "energy", "51": "media", "5112": "software",
    "5132": "software", "517": "telecommunications", "518": "software", "51913": "software", "516": "media",
    "52": "financial_services", "524": "insurance", "53": "real_estate", "532": "retail", "5321": "automotive",
    "54": "professional_services", "5411": "legal", "5415": "it_services", "5418": "marketing", "54191": "marketing",
    "55": "professional_services", "56": "professional_services", "5613": "staffing", "5615": "hospitality",
    "562": "energy", "61": "education", "62": "healthcare", "6242": "non_profit", "71": "hospitality",
    "72": "hospitality", "81": "professional_services", "8111": "automotive", "813": "non_profit",
    "8123": "consumer_goods", "92": "government",
}  # fmt: skip
_SIC = {
    "01": "agriculture", "02": "agriculture", "07": "agriculture", "08": "agriculture", "09": "agriculture",
    "10": "mining", "12": "mining", "13": "energy", "14": "mining", "15": "construction", "16": "construction",
    "17": "construction", "20": "food_and_beverage", "21": "food_and_beverage", "22": "consumer_goods",
    "23": "consumer_goods", "24": "manufacturing", "25": "consumer_goods", "26": "chemicals", "27": "media",
    "28": "chemicals", "283": "life_sciences", "2844": "consumer_goods", "29": "energy", "30": "chemicals",
    "31": "consumer_goods", "32": "manufacturing", "33": "manufacturing", "34": "manufacturing",
    "348": "aerospace_and_defence", "35": "manufacturing", "357": "hardware", "36": "hardware",
    "37": "automotive", "372": "aerospace_and_defence", "373": "manufacturing", "374": "manufacturing",
    "376": "aerospace_and_defence", "38": "hardware", "384": "life_sciences", "385": "life_sciences",
    "39": "consumer_goods", "40": "transportation", "41": "transportation", "42": "transportation",
    "43": "transportation", "44": "transportation", "45": "transportation", "46": "energy", "47": "transportation",
    "48": "telecommunications", "483": "media", "484": "media", "49": "energy", "50": "wholesale", "51": "wholesale",
    "52": "retail", "53": "retail", "54": "retail", "55": "automotive", "56": "retail", "57": "retail",
    "58": "hospitality", "59": "retail", "60": "financial_services", "61": "financial_services",
    "62": "financial_services", "63": "insurance", "64": "insurance", "65": "real_estate", "67": "financial_services",
    "6798": "real_estate", "70": "hospitality", "72": "professional_services", "73": "professional_services",
    "731": "marketing", "736": "staffing", "737": "software", "7373": "it_services", "7374": "it_services",
    "75": "automotive", "76": "professional_services", "78": "media", "79": "hospitality", "80": "healthcare",
    "81": "legal", "82": "education", "83": "non_profit", "84": "hospitality", "86": "non_profit",
    "87": "professional_services", "873": "professional_services", "8731": "life_sciences",
    "91": "government", "92": "government", "93": "government",
    "94": "government", "95": "government", "96": "government", "97": "government",
}  # fmt: skip
_NACE = {
    "01": "agriculture", "02": "agriculture", "03": "agriculture", "05": "mining", "06": "energy", "07": "mining",
    "08": "mining", "09": "energy", "10": "food_and_beverage", "11": "food_and_beverage", "12": "food_and_beverage",
    "13": "consumer_goods", "14": "consumer_goods", "15": "consumer_goods", "16": "manufacturing", "17": "chemicals",
    "18": "manufacturing", "19": "energy", "20": "chemicals", "21": "life_sciences", "22": "chemicals",
    "23": "manufacturing", "24": "manufacturing", "25": "manufacturing", "254": "aerospace_and_defence",
    "26": "hardware", "27": "manufacturing", "28": "manufacturing", "29": "automotive", "30": "manufacturing",
    "303": "aerospace_and_defence", "31": "consumer_goods", "32": "consumer_goods", "325": "life_sciences",
    "33": "manufacturing", "35": "energy", "36": "energy", "37": "energy", "38": "energy", "39": "energy",
    "41": "construction", "42": "construction", "43": "construction", "45": "automotive", "46": "wholesale",
    "47": "retail", "49": "transportation", "50": "transportation", "51": "transportation", "52": "transportation",
    "53": "transportation", "55": "hospitality", "56": "hospitality", "58": "media", "582": "software", "59": "media",
    "60": "media", "61": "telecommunications", "62": "software", "6202": "it_services", "6203": "it_services",
    "63": "software", "6391": "media", "64": "financial_services", "65": "insurance", "66": "financial_services",
    "662": "insurance", "68": "real_estate", "69": "professional_services", "691": "legal",
    "70": "professional_services", "71": "professional_services", "72": "professional_services",
    "7211": "life_sciences", "73": "marketing", "74": "professional_services", "75": "healthcare", "77": "retail",
    "7711": "automotive", "78": "staffing", "79": "hospitality", "80": "professional_services",
    "81": "professional_services", "82": "professional_services", "84": "government", "85": "education",
    "86": "healthcare", "87": "healthcare", "88": "non_profit", "90": "media", "91": "hospitality",
    "92": "hospitality", "93": "hospitality", "94": "non_profit", "95": "professional_services",
    "96": "professional_services", "99": "government",
}  # fmt: skip
SCHEMES = {"naics": _NAICS, "sic": _SIC, "nace": _NACE}
"""Scheme → the start of a code → industry. UK SIC 2007 is NACE with a fifth digit, French NAF with a letter."""


def industry_of(code: str, *, scheme: str) -> str | None:
    """Return the industry of a code of NAICS, SIC (the American one of 1987) or NACE; its longest known start decides.

    >>> industry_of("7372", scheme="sic"), industry_of("62.01", scheme="nace"), industry_of("5411", scheme="naics")
    ('software', 'software', 'legal')
    >>> industry_of("none", scheme="sic") is None
    True
    """
    digits = "".join(c for c in code if c.isascii() and c.isdigit())
    known = SCHEMES[scheme]
    return next((known[digits[:n]] for n in _starts(digits) if digits[:n] in known), None)


def _starts(digits: str) -> Iterable[int]:
    return range(min(len(digits), 6), 1, -1)
