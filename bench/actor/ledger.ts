// Accounts to be measured: their streams, commands for them, and a runtime that has them.
import { join } from 'node:path'
import { commandStreamName } from '../../src/actor/command-stream.ts'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { readLastOf } from '../../src/broker/direct-read.ts'
import { commitSubject } from '../../src/broker/system-subject.ts'
import { completeDraft } from '../../src/event/complete.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import { publishSubject } from '../../src/event/subject.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import { decodeCommitRecord } from '../../src/kernel/commit-record.ts'
import { silentLog } from '../../src/observe/log.ts'
import { createRuntime, type Runtime } from '../../src/runtime/create-runtime.ts'
import { type Deployment } from '../../src/runtime/deployment.ts'
import { withActors, Contracts } from '../../src/runtime/context-actors.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import account, { Deposit } from '../actor-streams/ledger/actors/account.ts'

export const FOLDER = join(import.meta.dirname, '..', 'actor-streams')

export interface BenchLedger {
  readonly deployment: Deployment
  readonly stream: StreamDeclaration
  readonly commands: StreamDeclaration
}

let ledgers = 0

/** A ledger of its own: in this process, or in others, which find it by its name in BENCH_STREAM. */
export async function freshLedger(connection: Connection): Promise<BenchLedger> {
  const name = `LEDGER${(ledgers += 1)}`
  const context = withActors(defineStream({ name, root: name.toLowerCase(), description: 'Accounts of the bench' }), [
    account,
  ])
  const contracts = new Contracts()
  contracts.addActors(context)
  const { stream, commands } = context
  if (commands?.name !== commandStreamName(name)) throw new Error('there is no stream of commands')
  const deployment: Deployment = {
    folder: '',
    streams: [stream, commands],
    registry: createRegistry(contracts.all),
    pipelines: [],
    rules: [],
    actors: context.actors,
    homes: contracts.homes,
  }
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  return { deployment, stream, commands }
}

/** `count` commands, for one account after the other. */
export function commandsFor({ commands }: BenchLedger, count: number, accounts: number, prefix = 'c'): WireMessage[] {
  return Array.from({ length: count }, (_, at) => {
    const draft = Deposit({ account: `a${at % accounts}`, amount: 1 + (at % 9), reference: `r${at}`, currency: 'EUR' })
    const event = completeDraft(draft, { id: `${prefix}${at}`, source: '/bench', time: 1_750_000_000_000 + at })
    const { headers, data } = encodeEvent(event)
    const id = ['Nats-Msg-Id', `${prefix}${at}`] as const
    return { subject: publishSubject(commands.root, event.key, event.type), headers: [...headers, id], data }
  })
}

export function startRuntime(connection: Connection, { deployment, stream }: BenchLedger): Promise<Runtime> {
  return createRuntime({
    connection,
    deployment,
    clock: systemClock,
    log: silentLog,
    owner: 'bench',
    group: `bench-${stream.name}`,
  })
}

/** Takes a ledger away with all that is in it, so that it does not slow what is measured next. */
export async function removeLedger(connection: Connection, { stream, commands }: BenchLedger): Promise<void> {
  for (const { name } of [stream, commands]) await connection.manager.streams.delete(name)
}

/** Commands that were decided and committed, as the stream says it. One read, so that asking costs the server little. */
export async function decided(connection: Connection, { stream }: BenchLedger): Promise<number> {
  const { messages } = await readLastOf(connection, stream.name, [commitSubject(stream.name, 'actor-account', '*')])
  return messages.reduce((sum, { subject, data }) => sum + decodeCommitRecord(data, subject).turns, 0)
}

/** Waits until `count` commands are decided; the rate since the first of them were. */
export async function decidedPerSecond(connection: Connection, ledger: BenchLedger, count: number): Promise<number> {
  let [first, began] = [0, 0]
  for (;;) {
    const now = await decided(connection, ledger)
    if (first === 0 && now > 0) [first, began] = [now, performance.now()]
    if (now >= count) return (count - first) / ((performance.now() - began) / 1_000)
    await pause(10)
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
