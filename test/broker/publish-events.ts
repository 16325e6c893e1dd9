// A process that publishes 20,000 events, a thousand at a time: node publish-events.ts URL STREAM ROOT
import { defineStream } from '../../src/broker/define-stream.ts'
import { openPublisher } from '../../src/runtime/open-publisher.ts'
import { upTo } from '../support/numbered.ts'
import { Counted, counted } from './counted-events.ts'

const [server = '', name = '', root = ''] = process.argv.slice(2)
const stream = defineStream({ name, root })
const { publisher } = await openPublisher({ stream, events: [Counted], connection: { server } })
for (let at = 0; at < 20_000; at += 1_000) {
  await publisher.publish(counted(upTo(1_000, at)))
  // slowly, so that it is killed in the middle however busy the machine is
  await new Promise((resolve) => setTimeout(resolve, 500))
}
