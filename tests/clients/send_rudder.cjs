// RudderStack's client for Node, as its users use it.
const Analytics = require('@rudderstack/rudder-sdk-node')

async function main () {
  const [host, ...keys] = process.argv.slice(2)
  await Promise.all(keys.map(async (key) => {
    const client = new Analytics(key, { dataPlaneUrl: host, flushInterval: 50, logLevel: 'error' })
    const userId = `rudder-${key.slice(-6)}`
    client.identify({ userId, traits: { email: `${userId}@x.example`, job: 'vp' } })
    client.track({ userId, event: 'Demo Requested', properties: { source: 'fair' } })
    client.page({ userId, name: 'Pricing', properties: { path: '/pricing' } })
    await client.flush()
  }))
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1) })
