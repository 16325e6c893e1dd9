// Dead letters that are redriven, each followed until it is handled. Baseline: their events published anew, with receipts,
// as many on their way: what a script would do that knows nothing of what became of them.
import { setMaxListeners } from 'node:events'
import { jetstream } from '@nats-io/jetstream'
import type { Connection } from '../../src/broker/connection.ts'
import { readDeadLetter, type DeadLetter } from '../../src/delivery/letters/dead-letter.ts'
import { LetterRecords, NEW_RECORD } from '../../src/delivery/letters/letter-records.ts'
import { RedriveLetters } from '../../src/delivery/letters/redrive-letters.ts'
import { permanent } from '../../src/delivery/recovery.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { readAll } from '../../test/support/events.ts'
import { isWanted, measure, perSecond, type BenchContext } from '../harness.ts'
import { freshStream, registry } from '../payments.ts'
import { siteOf, startHandler, type Site } from './handling.ts'

const LETTERS = 1_000
const AT_ONCE = 64
const NAME = 'delivery.redrive'

export async function redrive(context: BenchContext): Promise<void> {
  if (!isWanted(context, NAME)) return
  let letters: readonly DeadLetter[] = []
  await measure(context, 'delivery', {
    name: NAME,
    unit: 'letters/s',
    against: `their events published with receipts, ${AT_ONCE} at a time, not followed`,
    fresh: true,
    candidate: async () => {
      const site = await siteOf(context.connection, LETTERS)
      letters = await killed(context.connection, site)
      return redriven(context.connection, site, letters)
    },
    baseline: async () => {
      if (letters.length === 0) letters = await killed(context.connection, await siteOf(context.connection, LETTERS))
      return published(context.other, letters)
    },
  })
}

/** Has all events of a site refused for good. */
async function killed(connection: Connection, site: Site): Promise<readonly DeadLetter[]> {
  const run = await startHandler(connection, site, 'mended', 256, async () => {
    throw permanent('not yet')
  })
  while (run.acknowledged.confirmed < site.count) await systemClock.sleep(5)
  await run.stop()
  return (await readAll(connection, 'DEAD_LETTERS', [`millrace.dead.${site.stream.name}.>`])).map(readDeadLetter)
}

async function redriven(connection: Connection, site: Site, letters: readonly DeadLetter[]): Promise<number> {
  const run = await startHandler(connection, site, 'mended', 256)
  const byNumber = new Map(letters.map((letter) => [letter.number, letter]))
  const records = new LetterRecords(connection, systemClock)
  await records.prepare(1)
  const known = await records.all()
  const { signal } = new AbortController()
  setMaxListeners(0, signal)
  let handled = 0
  const redriving = new RedriveLetters({
    connection,
    clock: systemClock,
    signal,
    records,
    registry,
    places: { processors: [], handlers: ['mended'], streams: [site.stream] },
    wait: true,
    load: (number) => Promise.resolve(byNumber.get(number)),
    known: (number) => known.get(number) ?? NEW_RECORD,
    onEnd: ({ kind }) => (handled += kind === 'handled' ? 1 : 0),
  })
  const chains = byKey(letters)
  const rate = await perSecond(letters.length, () => redriving.run(chains))
  await run.stop()
  if (handled !== LETTERS) throw new Error(`${handled} of ${LETTERS} letters are handled`)
  return rate
}

/** Numbers of letters, those of a key in one chain. */
function byKey(letters: readonly DeadLetter[]): number[][] {
  const chains = new Map<string, number[]>()
  for (const { key = '', number } of letters.toSorted((one, other) => one.sequence - other.sequence)) {
    const chain = chains.get(key)
    if (chain === undefined) chains.set(key, [number])
    else chain.push(number)
  }
  return [...chains.values()]
}

async function published(connection: Connection, letters: readonly DeadLetter[]): Promise<number> {
  const { root } = await freshStream(connection)
  const js = jetstream(connection.nats)
  const left = [...letters]
  const one = async (): Promise<void> => {
    for (let letter = left.pop(); letter !== undefined; letter = left.pop())
      await js.publish(`${root}.${letter.key ?? '-'}.${letter.type ?? '-'}`, letter.data)
  }
  return perSecond(letters.length, async () => void (await Promise.all(Array.from({ length: AT_ONCE }, one))))
}
