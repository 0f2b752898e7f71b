// Segment's own client for Node, as its users use it: one event for each key that is told.
const { Analytics } = require('@segment/analytics-node')

async function main () {
  const [host, ...keys] = process.argv.slice(2)
  await Promise.all(keys.map(async (writeKey) => {
    const client = new Analytics({ writeKey, host, flushInterval: 50 })
    client.on('error', (error) => console.error(String(error.reason || error)))
    const userId = `segment-${writeKey.slice(-6)}`
    client.identify({ userId, traits: { email: `${userId}@x.example`, job: 'vp' } })
    client.track({ userId, event: 'Demo Requested', properties: { source: 'fair' } })
    client.page({ userId, name: 'Pricing', properties: { path: '/pricing' } })
    await client.closeAndFlush({ timeout: 20000 })
  }))
}

main()
