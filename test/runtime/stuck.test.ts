// Processes that get nowhere any more, because code that they were given never returns.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createActorClient } from '../../src/actor/actor-client.ts'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { claim } from '../../src/kernel/claim.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { StuckWatch } from '../../src/runtime/stuck/stuck-watch.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { recordsOf } from '../actor/running-actors.ts'
import { atEnd } from '../support/cleanup.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { testProgram } from '../support/program.ts'
import { Do, stuck, stuckDeployment } from './stuck-actor.ts'

const test = suite('a process that is stuck')

/** Longer than anything takes that does return, on whatever machine. */
const LIMIT_MS = 3_000

/** Runs a process until it ends, or until `done`. @returns what it wrote to stderr, and the signal that ended it */
async function life(name: string, done: () => Promise<boolean>): Promise<{ said: string; signal: string | null }> {
  const { url } = await sharedServer()
  const script = fileURLToPath(new URL('stuck-worker.ts', import.meta.url))
  const child = spawn(process.execPath, [...testProgram(script), url, name, String(LIMIT_MS)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  atEnd(() => void child.kill('SIGKILL'))
  let said = ''
  let signal: string | null | undefined
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  // not at its exit: what it wrote last may be on its way then
  child.once('close', (_, by) => (signal = by))
  await eventually('its end', async () => signal !== undefined || (await done()), 180_000)
  if (signal !== undefined) return { said, signal }
  child.kill('SIGKILL')
  return { said, signal: null }
}

test('SW1 decide that never returns ends the process, which says where; the command is found and parked, others go on', async () => {
  const connection = await sharedConnection()
  const name = `STUCK${process.pid}`
  const deployment = stuckDeployment(name)
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const [records, commands] = deployment.streams
  const processor = processorsOf(deployment).find(({ kind }) => kind === 'actor')
  assert.ok(records && commands && processor)
  const homes = [{ actor: stuck.name, records, commands }]
  const client = createActorClient({ connection, clock: systemClock, newId: systemId, homes }).actor(stuck)
  const ids = ['a', 'b', 'bad', 'c', 'bad']
  for (const [at, id] of ids.entries()) await client.tell(Do({ id, loops: at === 2 }), { id: `c${at}` })
  // three starts that led nowhere, so that the next one is careful
  for (let start = 0; start < 3; start++) await claim(connection, processor, '0', `start-${start}`)
  const done = async (): Promise<boolean> => {
    const outcome = await client.outcome('bad', 'c4', { sequence: 5 })
    return outcome?.kind === 'failed'
  }
  const lives: { said: string; signal: string | null }[] = []
  while (lives.length < 10 && lives.at(-1)?.signal !== null) lives.push(await life(name, done))
  assert.ok(lives.length > 1 && lives.at(-1)?.signal === null, JSON.stringify(lives))
  for (const { signal, said } of lives.slice(0, -1)) {
    assert.is(signal, 'SIGKILL')
    const line = JSON.parse(said.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
    assert.equal([line['code'], line['processor']], ['TURN_STUCK', 'actor-stuck'])
    assert.match(String(line['msg']), /for 3000 ms, actor-stuck, at sequence 3: stuck.do \(c2\) for bad/)
  }
  const [killer, behind] = await Promise.all(
    [3, 5].map((sequence) => client.outcome('bad', `c${sequence - 1}`, { sequence })),
  )
  assert.is(killer?.kind === 'failed' && killer.code, 'PROCESS_KILLED')
  assert.is(behind?.kind === 'failed' && behind.code, 'AGGREGATE_PARKED')
  const decided = (await recordsOf(connection, deployment)).map(({ id }) => id)
  assert.equal(decided.toSorted(), ['a', 'b', 'c'])
})

test('SW1 a turn that is watched is given all that one is given that is not: an event that was redriven stays one', async () => {
  const watch = new StuckWatch(systemClock, 60_000)
  atEnd(() => watch.stop())
  const seen: unknown[][] = []
  const turn = (...given: unknown[]): readonly never[] => {
    seen.push(given)
    return []
  }
  const processor = {
    kind: 'handler',
    name: 'own',
    start: () => ({ turn, stop: () => undefined }),
  } as unknown as Processor
  const given = [
    { sequence: 1 } as StoredEvent,
    () => undefined,
    { headers: { get: () => '7 1', entries: () => [] } },
  ] as const
  watch
    .watched(processor)
    .start({ kind: 'none' } as never, () => undefined)
    .turn(...given)
  assert.equal(seen, [[...given]])
})

test.run()
