// Jitsu's client for Node, as its users use it.
const { jitsuAnalytics } = require('@jitsu/js')

async function main () {
  const [host, ...keys] = process.argv.slice(2)
  await Promise.all(keys.map(async (key) => {
    const client = jitsuAnalytics({ host, writeKey: `${key}:secret` })
    const user = `jitsu-${key.slice(-6)}`
    await client.identify(user, { email: `${user}@x.example`, job: 'vp' })
    await client.track('Demo Requested', { source: 'fair' })
    await client.page({ path: '/pricing' })
  }))
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1) })
