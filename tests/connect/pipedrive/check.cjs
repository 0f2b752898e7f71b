// Pipedrive's own Node client against an address: what it read and wrote, as one line of JSON.
const { v1, v2 } = require('pipedrive');

async function main(address) {
  const conf = new v2.Configuration({ apiKey: 'pd-api-token-1', basePath: `${address}/api/v2` });
  const old = new v1.Configuration({ apiKey: 'pd-api-token-1', basePath: `${address}/api/v1` });
  const persons = new v2.PersonsApi(conf);
  const fields = new v2.PersonFieldsApi(conf);
  const found = {};
  const people = [];
  let cursor;
  do {
    const page = await persons.getPersons({
      limit: 2, sort_by: 'update_time', sort_direction: 'asc', updated_since: '2020-01-01T00:00:00Z', cursor,
    });
    people.push(...page.data);
    cursor = page.additional_data.next_cursor;
  } while (cursor);
  found.people = people.map((one) => one.emails[0].value);
  await fields.addPersonField({ AddPersonFieldRequest: { field_name: 'Node score', field_type: 'double' } });
  const described = (await fields.getPersonFields({ limit: 500 })).data;
  const code = described.find((one) => one.field_name === 'Node score').field_code;
  found.code = code.length;
  await persons.updatePerson({ id: people[0].id, UpdatePersonRequest: { custom_fields: { [code]: 7.5 } } });
  found.score = (await persons.getPersons({ ids: String(people[0].id), custom_fields: code })).data[0].custom_fields[code];
  const deals = new v2.DealsApi(conf);
  found.deals = (await deals.getDeals({ status: 'open,won,lost,deleted' })).data.length;
  found.archived = (await deals.getArchivedDeals({})).data.length;
  const activities = new v2.ActivitiesApi(conf);
  const task = { subject: 'Call', type: 'task', note: 'x', participants: [{ person_id: people[0].id, primary: true }] };
  await activities.addActivity({ AddActivityRequest: task });
  found.tasks = (await activities.getActivities({ person_id: people[0].id })).data.length;
  found.leads = (await new v1.LeadsApi(old).getLeads({ sort: 'update_time' })).data.length;
  const recents = await new v1.RecentsApi(old).getRecents({ since_timestamp: '2020-01-01 00:00:00', items: 'person' });
  found.gone = recents.data.filter((one) => one.data.active_flag === false).length;
  console.log(JSON.stringify(found));
}

main(process.argv[2]).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
