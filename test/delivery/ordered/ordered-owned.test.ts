// An attempt that has waited for long looks whether its unit is still its process's own.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { publishOnce } from '../../../src/broker/publish-once.ts'
import { commitSubject } from '../../../src/broker/system-subject.ts'
import { defineHandler } from '../../../src/delivery/define-handler.ts'
import { openGate } from '../../../src/delivery/gate.ts'
import { Killers } from '../../../src/delivery/ordered/killers.ts'
import { OpenEvent } from '../../../src/delivery/ordered/open-event.ts'
import { OrderedAttempts } from '../../../src/delivery/ordered/ordered-attempts.ts'
import { Shared } from '../../../src/delivery/ordered/ordered-processor.ts'
import { Places } from '../../../src/delivery/ordered/places.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { storedEvent } from '../../cep/stored-event.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'
import { Asked, place, registry } from '../running-handlers.ts'
import { processorOf } from './running-ordered.ts'

const test = suite('attempts and who owns their unit')

/** Attempts at the events of a unit, of which this process knows commits up to a place. */
async function attempts() {
  const connection = await sharedConnection()
  const at = await place(connection)
  let runs = 0
  const declaration = defineHandler({
    name: 'owned',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    concurrency: 1,
    handle: () => void (runs += 1),
  })
  const places = new Places('owned', 1)
  const ports = { log: silentLog, chance: Math.random, open: () => Promise.resolve({ declaration, gate: openGate }) }
  const base = { declaration, stream: at.stream, work: at.work, emitsTo: undefined, registry, ports }
  const subject = commitSubject(at.stream.name, 'handler-owned', '0')
  const known = { upTo: 0 }
  const own = new OrderedAttempts({
    ...base,
    connection,
    clock: systemClock,
    commits: { subject, storedUpTo: () => known.upTo },
    reader: processorOf(at, declaration),
    shared: new Shared(base, places, new Killers('owned')),
  })
  atEnd(() => own.stop())
  const stored = await publishOnce(connection, { subject, headers: [], data: Buffer.from('{}') })
  const begin = (signal: AbortSignal) =>
    own.run(
      new OpenEvent(1, { e: storedEvent({ type: Asked.type, data: { n: 1, key: 'k' } }) }),
      () => undefined,
      signal,
    )
  /** It waits for a place for longer than who owns the unit is taken for known. */
  const late = async (signal: AbortSignal): Promise<ReturnType<typeof begin>[]> => {
    await places.take(signal)
    const run = begin(signal)
    await systemClock.sleep(1_200)
    places.give()
    return [run]
  }
  return { known, stored: stored.sequence, places, late, runs: () => runs }
}

test('DL9 a commit that is under way for long has an attempt wait, and not for ever', async () => {
  const { known, stored, late, runs } = await attempts()
  const [run] = await late(new AbortController().signal)
  await systemClock.sleep(1_500)
  assert.is(runs(), 0, 'nobody knows yet whose it is')
  known.upTo = stored
  assert.equal(await run, { k: 'done' })
})

test('DL9 of a unit that is another process’s nothing is begun, and no place is kept', async () => {
  const { places, late, runs } = await attempts()
  const end = new AbortController()
  const [run] = await late(end.signal)
  const told = run?.then(
    () => 'done',
    () => 'ended',
  )
  await eventually('others have the place', () => places.take(AbortSignal.timeout(30_000)).then(() => true))
  places.give()
  end.abort(new Error('the unit is not ours any more'))
  assert.is(await told, 'ended')
  assert.is(runs(), 0)
  await places.take(AbortSignal.timeout(30_000))
})

test.run()
