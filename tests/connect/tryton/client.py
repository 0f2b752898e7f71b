"""Tryton's own client, as a program: a line of JSON comes in, a line of JSON goes out.

It runs in Tryton's environment and never in ours: proteus is under the GPL, and nothing here is imported by a test.
Values that JSON has no word for are told as `{"date": "2026-03-01"}` and `{"decimal": "12.50"}`.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from decimal import Decimal

from proteus import Model, Wizard, config


def inward(value):
    """Return a value as Tryton knows it."""
    match value:
        case {"date": day}:
            return dt.date.fromisoformat(day)
        case {"decimal": number}:
            return Decimal(number)
        case {"id": number, "model": name}:
            return Model.get(name)(number)
        case dict():
            return {key: inward(one) for key, one in value.items()}
        case list():
            return [inward(one) for one in value]
    return value


def outward(value):
    """Return a value as JSON can say it."""
    if isinstance(value, Model):
        return value.id
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


class Client:
    """What can be asked for."""

    def connect(self, url):
        """Sign in; the password is in the address."""
        config.set_xmlrpc(url)

    def setup(self):
        """Make the company, a salesperson and a key for the REST API; all in few calls."""

        def make(model, **values):
            return Model.get(model)._proxy.create([values], {})[0]

        euro = make("currency.currency", name="Euro", code="EUR", symbol="€", digits=2)
        house, seller = make("party.party", name="House Ltd"), make("party.party", name="Ann Seller")
        company = make("company.company", party=house, currency=euro)
        employee = make("company.employee", party=seller, company=company)
        users = Model.get("res.user")._proxy
        (admin,) = users.search([("login", "=", "admin")], 0, None, None, {})
        users.write([admin], {"companies": [("add", [company])], "company": company}, {})
        users.write([admin], {"employees": [("add", [employee])]}, {})
        self.company(company)
        made = {"company": company, "employee": employee, "currency": euro, "parties": [house, seller]}
        return {"key": self.key("admin"), **made}

    def key(self, login):
        """Make a user's key."""
        user = Model.get("res.user").find([("login", "=", login)])[0]
        application = Model.get("res.user.application")(user=user, application="rest")
        application.save()
        return application.key

    def user(self, login, groups):
        """Make a user of some groups, and a key for it."""
        user = Model.get("res.user")(name=login, login=login)
        admin = Model.get("res.user").find([("login", "=", "admin")])[0]
        user.companies.append(Model.get("company.company")(admin.company.id))
        user.company = Model.get("company.company")(admin.company.id)
        for name in groups:
            user.groups.append(Model.get("res.group").find([("name", "=", name)])[0])
        user.save()
        return self.key(login)

    def revoke(self, key):
        """Cancel a key, as an administrator does."""
        Model.get("res.user.application").find([("key", "=", key)])[0].click("cancel")

    def company(self, number):
        """Work for this company."""
        config.get_config().set_context({"company": number})

    def create(self, model, records):
        """Make many records in one call; return their ids."""
        return Model.get(model)._proxy.create(inward(records), config.get_config().context)

    def write(self, model, ids, values):
        """Change many records in one call."""
        Model.get(model)._proxy.write(ids, inward(values), config.get_config().context)

    def edit(self, model, number, values):
        """Change one record as a person does, by its form."""
        record = Model.get(model)(number)
        for name, value in inward(values).items():
            setattr(record, name, value)
        record.save()

    def delete(self, model, ids):
        """Delete records."""
        for number in ids:
            Model.get(model)(number).delete()

    def rows(self, model, domain, fields):
        """Return fields of all records that are found, in one call."""
        context = config.get_config().context
        found = Model.get(model)._proxy.search_read(inward(domain), 0, None, [["id", "ASC"]], fields, context)
        return [{name: outward(value) for name, value in one.items()} for one in found]

    def click(self, model, ids, button):
        """Press a button of many records."""
        getattr(Model.get(model)._proxy, button)(ids, config.get_config().context)

    def replace(self, source, destination):
        """Merge one party into another, by Tryton's wizard."""
        party, warned = Model.get("party.party"), Model.get("res.user.warning")
        user = Model.get("res.user").find([("login", "=", "admin")])[0]
        warned(user=user, name=f"party.replace name {source} {destination}", always=True).save()
        wizard = Wizard("party.replace", [party(source)])
        wizard.form.source, wizard.form.destination = party(source), party(destination)
        wizard.execute("replace")

    def read(self, model, ids, fields):
        """Return fields of records."""
        found = (Model.get(model)(number) for number in ids)
        return [{name: outward(getattr(one, name)) for name in fields} for one in found]

    def find(self, model, domain, fields):
        """Return fields of the records that are found, by id."""
        found = Model.get(model).find(domain, order=[("id", "ASC")])
        return {one.id: {name: outward(getattr(one, name)) for name in fields} for one in found}


def main():
    """Answer each line."""
    client = Client()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"result": getattr(client, asked.pop("do"))(**asked)}
        except Exception as error:  # told to the test, which fails with it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
