// Dittofeed's client for Node, as its users use it.
const { DittofeedSdk } = require('@dittofeed/sdk-node')

async function main () {
  const [host, key] = process.argv.slice(2)
  await DittofeedSdk.init({ writeKey: key, host })
  const userId = `dittofeed-${key.slice(-6)}`
  DittofeedSdk.identify({ userId, traits: { email: `${userId}@x.example`, job: 'vp' } })
  DittofeedSdk.track({ userId, event: 'Demo Requested', properties: { source: 'fair' } })
  DittofeedSdk.page({ userId, name: 'Pricing', properties: { path: '/pricing' } })
  await DittofeedSdk.flush()
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1) })
