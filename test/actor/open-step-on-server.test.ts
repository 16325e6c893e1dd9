// A step that was open when its process ended, on a real server.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { actorStep } from '../../src/actor/actor-step.ts'
import { step } from '../../src/actor/decision.ts'
import { defineActor } from '../../src/actor/define-actor.ts'
import { defineCommand } from '../../src/actor/define-command.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { deploy, recordsOf, tellAll, work } from './running-actors.ts'

const test = suite('steps that were open')

const data = z.object({ id: z.string(), n: z.int() })
const key = ({ id }: { id: string }): string => id
const Work = defineCommand('work.begin', { data, key })
const Note = defineCommand('work.note', { data, key })
const End = defineCommand('work.end', { data, key })
const Begun = defineEvent('work.begun', { data, key })
const Noted = defineEvent('work.noted', { data, key })
const Ended = defineEvent('work.ended', { data, key })

let hangs = true
let runs = 0
const worker = defineActor({
  name: 'worker',
  version: 1,
  initial: () => ({ seen: 0 as number }),
  commands: [Work, Note, End],
  events: [Begun, Noted, Ended],
  // so that all of its records are read
  snapshot: { carry: 0 },
  steps: {
    run: actorStep({
      run: ({ n }: { n: number }) => {
        runs += 1
        return hangs ? new Promise<number>(() => undefined) : Promise.resolve(n * 2)
      },
      done: (n: number, _input, id) => End({ id, n }),
      failed: ({ message }, _input, id) => End({ id, n: message.length }),
    }),
  },
  decide: {
    'work.begin': (_, { data: own }) => [Begun(own), step('run', { n: own.n })],
    'work.note': (_, { data: own }) => [Noted(own)],
    'work.end': (_, { data: own }) => [Ended(own)],
  },
  evolve: {
    'work.begun': ({ seen }) => ({ seen: seen + 1 }),
    'work.noted': ({ seen }) => ({ seen: seen + 1 }),
    'work.ended': ({ seen }) => ({ seen: seen + 1 }),
  },
})

/** Below how many it makes a snapshot. */
const NOTES = 95

test('AL7 goes on when its aggregate is in memory, however long that takes, and though no command comes', async () => {
  const connection = await sharedConnection()
  const deployment = await deploy(connection, [worker])
  const stored = async (): Promise<number> => (await recordsOf(connection, deployment)).length
  const first = await work(connection, deployment)
  await tellAll(connection, deployment, [
    ...Array.from({ length: NOTES }, (_, n) => Note({ id: 'a', n })),
    Work({ id: 'a', n: 7 }),
  ])
  await eventually('it runs, and is stored', async () => runs === 1 && (await stored()) === NOTES + 1)
  await first.stop()
  hangs = false
  const second = await work(await connectTo((await sharedServer()).url), deployment, 'two')
  await eventually('it has ended', async () => (await stored()) === NOTES + 2)
  await second.stop()
  assert.is(runs, 2)
})

test.run()
