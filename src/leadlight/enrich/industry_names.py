"""What vendors call industries (LinkedIn's lists of names, and GICS as Clearbit and Hunter write it), in our names."""

# ruff: noqa: E501 - lists of names
from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

NAMES: Mapping[str, str] = {
    "software": "computer software; software development; internet; internet software & services; application software; "
    "systems software; software & services; software; saas; computer games; cloud computing; technology, information "
    "and internet; data infrastructure and analytics; internet publishing; mobile apps; computer and network security; "
    "computer & network security; e-learning providers",
    "it_services": "information technology & services; it services and it consulting; it services; it consulting & other "
    "services; it consulting & services; information services; outsourcing/offshoring; data processing & outsourced "
    "services; it system custom software development; information technology",
    "hardware": "computer hardware; computer hardware manufacturing; computer networking; computer networking products; "
    "semiconductors; semiconductor manufacturing; consumer electronics; computers and electronics manufacturing; "
    "electrical/electronic manufacturing; nanotechnology; nanotechnology research; technology hardware, storage & "
    "peripherals; communications equipment; electronic components; semiconductors & semiconductor equipment; "
    "automation machinery manufacturing",
    "telecommunications": "telecommunications; wireless; wireless services; satellite telecommunications; diversified "
    "telecommunication services; wireless telecommunication services; integrated telecommunication services",
    "media": "broadcast media; media production; online media; publishing; newspapers; book and periodical publishing; "
    "newspaper publishing; music; musicians; entertainment; entertainment providers; motion pictures & film; movies, "
    "videos and sound; animation; animation and post-production; photography; performing arts; fine art; media; "
    "broadcasting; broadcast media production and distribution; online audio and video media; libraries; printing; "
    "writing & editing; writing and editing; movies & entertainment; arts & crafts; artists and writers; graphic design; "
    "interactive media & services",
    "marketing": "marketing & advertising; marketing and advertising; marketing services; advertising services; "
    "advertising; public relations & communications; public relations and communications; public relations and "
    "communications services; market research; events services",
    "financial_services": "financial services; banking; investment banking; investment management; venture capital & "
    "private equity; venture capital and private equity principals; capital markets; banks; diversified financial "
    "services; consumer finance; asset management & custody banks; diversified capital markets; payments; "
    "transaction & payment processing services; fund-raising; fundraising",
    "insurance": "insurance; insurance carriers; insurance agencies and brokerages; property & casualty insurance; life & "
    "health insurance; multi-line insurance",
    "real_estate": "real estate; commercial real estate; leasing residential real estate; leasing non-residential real "
    "estate; real estate management & development; equity real estate investment trusts (reits); real estate agents and "
    "brokers; real estate services",
    "construction": "construction; building materials; civil engineering; building construction; residential building "
    "construction; nonresidential building construction; specialty trade contractors; construction & engineering; "
    "building products; glass, ceramics & concrete; glass, ceramics and concrete manufacturing",
    "healthcare": "hospital & health care; hospital and health care; hospitals and health care; hospitals; medical "
    "practice; medical practices; health, wellness & fitness; wellness and fitness services; mental health care; "
    "alternative medicine; veterinary; veterinary services; health care; health care services; health care providers & "
    "services; physical, occupational and speech therapists; home health care services",
    "life_sciences": "pharmaceuticals; pharmaceutical manufacturing; biotechnology; biotechnology research; medical "
    "devices; medical equipment manufacturing; life sciences tools & services; health care equipment & supplies; "
    "health care equipment; pharmaceuticals, biotechnology & life sciences",
    "education": "higher education; education management; education administration programs; e-learning; "
    "primary/secondary education; primary and secondary education; professional training & coaching; professional "
    "training and coaching; education; education services; language schools; technical and vocational training",
    "government": "government administration; government relations; government relations services; military; armed "
    "forces; public policy; public policy offices; public safety; law enforcement; judiciary; administration of justice; "
    "legislative office; legislative offices; international affairs; executive office; political organization; "
    "political organizations",
    "non_profit": "nonprofit organization management; non-profit organization management; non-profit organizations; "
    "non-profits; nonprofit; philanthropy; philanthropic fundraising services; civic & social organization; civic and "
    "social organizations; religious institutions; think tanks; individual and family services; program development; "
    "museums & institutions; museums, historical sites, and zoos; international trade & development; industry associations",
    "legal": "law practice; legal services; alternative dispute resolution; law firms",
    "professional_services": "management consulting; business consulting and services; accounting; architecture & "
    "planning; architecture and planning; design; design services; research; research services; translation & "
    "localization; translation and localization; security & investigations; security and investigations; facilities "
    "services; business supplies & equipment; consumer services; environmental services; mechanical or industrial "
    "engineering; engineering services; professional services; commercial & professional services; research & consulting "
    "services; diversified support services",
    "staffing": "staffing & recruiting; staffing and recruiting; human resources; human resources services; human "
    "resource & employment services; executive search services",
    "retail": "retail; supermarkets; retail groceries; internet & direct marketing retail; specialty retail; "
    "multiline retail; food & staples retailing; retail apparel and fashion; online and mail order retail; broadline "
    "retail; internet retail",
    "wholesale": "wholesale; import and export; wholesale import and export; wholesale building materials; distributors; "
    "trading companies & distributors",
    "consumer_goods": "consumer goods; apparel & fashion; apparel manufacturing; cosmetics; personal care product "
    "manufacturing; luxury goods & jewelry; luxury goods and jewelry; furniture; furniture and home furnishings "
    "manufacturing; sporting goods; sporting goods manufacturing; textiles; textile manufacturing; textiles, apparel & "
    "luxury goods; household durables; household products; personal products; apparel, accessories & luxury goods; "
    "manufacturing of toys; leisure products",
    "food_and_beverage": "food & beverages; food and beverage services; food and beverage manufacturing; food production; "
    "wine & spirits; wine and spirits; beverage manufacturing; tobacco; tobacco manufacturing; dairy; beverages; food "
    "products; packaged foods & meats; food, beverage & tobacco",
    "hospitality": "hospitality; restaurants; leisure, travel & tourism; leisure, travel and tourism; travel arrangements; "
    "gambling & casinos; gambling facilities and casinos; recreational facilities & services; recreational facilities; "
    "sports; spectator sports; hotels, restaurants & leisure; hotels, resorts & cruise lines; hotels and motels",
    "transportation": "logistics & supply chain; logistics and supply chain; transportation, logistics, supply chain and "
    "storage; transportation/trucking/railroad; truck transportation; package/freight delivery; freight and package "
    "transportation; airlines/aviation; airlines and aviation; maritime; maritime transportation; warehousing; "
    "warehousing and storage; air freight & logistics; airlines; road & rail; transportation; rail transportation",
    "automotive": "automotive; motor vehicle manufacturing; motor vehicle parts manufacturing; automobiles; auto "
    "components; automobile manufacturers; auto parts & equipment; vehicle repair and maintenance",
    "aerospace_and_defence": "aviation & aerospace; aviation and aerospace component manufacturing; defense & space; "
    "defense and space manufacturing; aerospace & defense; aerospace and defense",
    "manufacturing": "machinery; machinery manufacturing; industrial automation; industrial machinery manufacturing; "
    "mechanical or industrial engineering services; mining & metals manufacturing; packaging & containers; packaging and "
    "containers manufacturing; shipbuilding; railroad manufacture; railroad equipment manufacturing; manufacturing; "
    "electrical equipment; industrial machinery; appliances, electrical, and electronics manufacturing; metals & mining "
    "manufacturing; industrial conglomerates",
    "chemicals": "chemicals; chemical manufacturing; plastics; plastics manufacturing; paper & forest products; paper and "
    "forest product manufacturing; specialty chemicals; diversified chemicals; commodity chemicals",
    "energy": "oil & energy; oil and gas; utilities; renewables & environment; renewable energy semiconductor "
    "manufacturing; renewable energy power generation; electric power generation; services for renewable energy; oil, gas "
    "& consumable fuels; electric utilities; renewable electricity; energy; energy equipment & services; oil & gas",
    "mining": "mining & metals; mining; metals & mining; gold; steel",
    "agriculture": "farming; ranching; fishery; fisheries; agriculture; agricultural products; forestry and logging; "
    "dairy product farming",
}  # fmt: skip
"""Industry → the names it goes by, in lower case."""


def industry_named(name: str) -> str | None:
    """Return the industry that a vendor's name means; None where the name is in no list.

    >>> industry_named("Information Technology and Services"), industry_named("Shipyards of old")
    ('it_services', None)
    """
    return _known().get(_plain(name))


@cache
def _known() -> Mapping[str, str]:
    return {_plain(name): industry for industry, names in NAMES.items() for name in names.split("; ")}


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[^a-z]+", " ", name.lower().replace("&", " and ")).split())
