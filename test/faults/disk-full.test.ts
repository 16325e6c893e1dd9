// The disk of the server fills up while events are published. A disk that small is a file system in memory, which only
// root can mount; elsewhere the test says so and is skipped.
import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { asFault, worthRepeating } from '../../src/broker/api-error.ts'
import { publishBatch } from '../../src/broker/batch.ts'
import { Publisher } from '../../src/broker/publisher.ts'
import { CATALOGUE } from '../../src/error/catalogue.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { ownServer, temporaryDirectory } from '../support/nats.ts'
import { numbered, numberOf, upTo } from '../support/numbered.ts'
import { readAll } from '../support/events.ts'

const run = promisify(execFile)
const test = suite('a full disk')

const MEGABYTES = 24

/** Why no small disk can be made here; undefined when one was mounted at `directory`. */
async function mountSmallDisk(directory: string): Promise<string | undefined> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${MEGABYTES}m`, 'tmpfs', directory])
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error)
  }
}

const disk = await temporaryDirectory()
const obstacle = await mountSmallDisk(disk)
if (obstacle === undefined) atEnd(() => run('umount', ['-l', disk]).then(() => undefined))
else console.error(`skipped: a full disk: ${obstacle}`)
const whenMounted = obstacle === undefined ? test : test.skip

whenMounted(
  'P1 is a code, not a hang; what was acknowledged is there, and publishing goes on when there is room',
  async () => {
    const ballast = join(disk, 'ballast')
    await writeFile(ballast, Buffer.alloc(12 * 1024 * 1024))
    const server = await ownServer({
      dataDir: join(disk, 'nats'),
      minFreeBytes: 0,
      // without a limit of its own the server takes three quarters of the disk, and would refuse before it is full
      config: 'jetstream { max_file_store: 1GB, max_memory_store: 1MB }',
    })
    const connection = await connectTo(server.url)
    const stream = await freshStream(connection)
    const wide = (n: number) => ({ ...numbered(stream, n), data: Buffer.from(String(n).padEnd(20_000)) })
    // there is room for these, so there is patience for them too
    const patient = new Publisher(connection, { clock: systemClock, patience: 60_000 })
    const first = await Promise.allSettled(upTo(100).map((n) => patient.publish(wide(n))))
    patient.close()
    const publisher = new Publisher(connection, { clock: systemClock, patience: 1_500, ackTimeout: 500 })
    const more = await Promise.allSettled(upTo(1_400, 100).map((n) => publisher.publish(wide(n))))
    const outcomes = [...first, ...more]
    // nats-server 2.15 logs that there is no space left and does not answer; another version may refuse
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') assert.ok(isFault(outcome.reason, 'BROKER_TIMEOUT', 'STREAM_FULL'))
    assert.match(CATALOGUE.BROKER_TIMEOUT.advice, 'disk')
    const error = await eventually('it is full', () =>
      publishBatch(connection, [wide(9_000), wide(9_001)], 500).then(
        () => undefined, // the machine was slow, and the disk is not full yet
        (thrown: unknown) => asFault(thrown, 'publishing'),
      ),
    )
    assert.ok(worthRepeating(error), error.message)
    publisher.close()

    await rm(ballast)
    await server.restart()
    await eventually('connected', () => connection.state.kind === 'connected')
    const again = new Publisher(connection, { clock: systemClock, patience: 60_000 })
    await Promise.all(upTo(20, 5_000).map((n) => again.publish(wide(n))))
    again.close()
    const numbers = new Set((await readAll(connection, stream.name)).map(numberOf))
    const acknowledged = upTo(1_500).filter((n) => outcomes[n]?.status === 'fulfilled')
    assert.ok(acknowledged.length > 50, `${acknowledged.length} were stored before the disk was full`)
    assert.equal(
      acknowledged.filter((n) => !numbers.has(n)),
      [],
    )
    assert.is(upTo(20, 5_000).filter((n) => numbers.has(n)).length, 20)
  },
)

test.run()
