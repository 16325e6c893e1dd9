// A deployment whose stream changes its number of partitions while events flow, and what its outputs must be.
import { bufferTime, filter, map } from 'rxjs'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { applyStreams } from '../../../src/broker/apply-streams.ts'
import type { Connection } from '../../../src/broker/connection.ts'
import { defineStream, type StreamDeclaration } from '../../../src/broker/define-stream.ts'
import { planStreams } from '../../../src/broker/plan-streams.ts'
import { defineEvent } from '../../../src/event/contract.ts'
import { decodeEvents } from '../../../src/event/decode-event.ts'
import { createRegistry } from '../../../src/event/registry.ts'
import { storedFilter } from '../../../src/event/subject.ts'
import { repartition } from '../../../src/kernel/repartition/repartition.ts'
import type { RepartitionOptions } from '../../../src/kernel/repartition/repartition-options.ts'
import { silentLog, type Log } from '../../../src/observe/log.ts'
import type { DeclaredPipeline } from '../../../src/pipeline/declared-pipeline.ts'
import { defineKeyed } from '../../../src/pipeline/define-keyed.ts'
import { definePipeline } from '../../../src/pipeline/define-pipeline.ts'
import { createRuntime, type Runtime } from '../../../src/runtime/create-runtime.ts'
import type { Deployment } from '../../../src/runtime/deployment.ts'
import { processorsOf } from '../../../src/runtime/processors.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { eventually } from '../../support/broker.ts'
import { countOf, publishAll, readAll } from '../../support/events.ts'

const card = { key: (data: { card: string }) => data.card }
const numbered = z.object({ card: z.string(), n: z.number() })
export const Paid = defineEvent('paid', { data: numbered, ...card })
export const Counted = defineEvent('counted', { data: numbered.extend({ count: z.number() }), ...card })
export const Referred = defineEvent('referred', { data: numbered.extend({ count: z.number() }), ...card })
export const Echoed = defineEvent('echoed', { data: numbered, ...card })
export const Copied = defineEvent('copied', { data: numbered, ...card })
export const Grouped = defineEvent('grouped', {
  data: z.object({ card: z.string(), ns: z.array(z.number()) }),
  ...card,
})
const registry = createRegistry([Paid, Counted, Referred, Copied, Echoed, Grouped])

/**
 * `echo`: by way of an outbox in another stream, back to the one that it reads.
 * `reference`: as `keyed`, but with one unit for all keys, which a change of the number of partitions does not concern.
 */
export type PipelineName = 'keyed' | 'reference' | 'stateless' | 'echo' | 'slots' | 'checkpoint'

const OUTPUTS: Readonly<Record<PipelineName, string>> = {
  keyed: 'counted',
  reference: 'referred',
  stateless: 'copied',
  echo: 'echoed',
  slots: 'grouped',
  checkpoint: 'grouped',
}

export interface WorldOptions {
  readonly pipelines: readonly PipelineName[]
  /** Whether outputs go packed into the stream whose number changes. */
  readonly packed?: boolean
  readonly idle?: string
  /** The stateless pipeline fails at these, and parks their key. */
  readonly fails?: (data: { readonly card: string; readonly n: number }) => boolean
  readonly partitions?: number
}

let worlds = 0
const NOTHING_ELSE = { rules: [], actors: [], homes: new Map<string, StreamDeclaration>() }

export class MovingWorld {
  readonly group: string
  readonly #connection: Connection
  readonly #options: WorldOptions
  readonly #name: string
  readonly #sent = new Map<string, number>()
  readonly #pipelines: PipelineName[]
  #version = 1
  #partitions: number
  #runtimes: Runtime[] = []
  #publishing: Promise<void> | undefined
  #stop = false

  constructor(connection: Connection, options: WorldOptions) {
    this.#connection = connection
    this.#options = options
    this.#pipelines = [...options.pipelines]
    this.#partitions = options.partitions ?? 4
    this.#name = `M${process.pid}_${(worlds += 1)}`
    this.group = `g${process.pid}_${worlds}`
  }

  get stream(): StreamDeclaration {
    return defineStream({ name: this.#name, root: this.#name.toLowerCase(), partitions: this.#partitions })
  }

  get out(): StreamDeclaration {
    return defineStream({ name: `${this.#name}_OUT`, root: `${this.#name.toLowerCase()}_out`, partitions: 2 })
  }

  /** As a folder would declare it, with the number of partitions that was asked for last. */
  deployment(partitions = this.#partitions): Deployment {
    const stream = { ...this.stream, partitions }
    const all = pipelines(stream.name, this.out.name, this.#options, this.#version)
    const chosen = this.#pipelines.map((name) => all[name])
    return { folder: '', streams: [stream, this.out], registry, pipelines: chosen, ...NOTHING_ELSE }
  }

  async apply(): Promise<void> {
    await applyStreams(this.#connection, await planStreams(this.#connection, this.deployment().streams))
  }

  /** Starts processes with the number of partitions that is declared now. */
  async run(processes: number, log: Log = silentLog): Promise<void> {
    for (let at = 0; at < processes; at++) {
      const options = { connection: this.#connection, clock: systemClock, log, owner: `p${at}`, group: this.group }
      const runtime = await createRuntime({ ...options, deployment: this.deployment() })
      runtime.ended.catch(() => undefined)
      this.#runtimes.push(runtime)
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#runtimes.splice(0).map((runtime) => runtime.stop()))
  }

  /** Publishes, in order per key, until `quiet`. */
  flow(everyMs = 60, keys = 23): void {
    this.#stop = false
    this.#publishing = (async () => {
      while (!this.#stop) {
        await this.publish(8, keys)
        await systemClock.sleep(everyMs)
      }
    })()
  }

  async publish(events: number, keys = 23): Promise<void> {
    const drafts = Array.from({ length: events }, () => {
      // each key has four before chance has its say: tests count keys, and wait for the fourth event of some
      const of = `c${this.sent < 4 * keys ? this.sent % keys : Math.floor(Math.random() * keys)}`
      const n = this.#sent.get(of) ?? 0
      this.#sent.set(of, n + 1)
      return Paid({ card: of, n })
    })
    await publishAll(this.#connection, this.stream, drafts)
  }

  async quiet(): Promise<void> {
    this.#stop = true
    await this.#publishing
  }

  get sent(): number {
    return [...this.#sent.values()].reduce((sum, count) => sum + count, 0)
  }

  options(to: number, more: Partial<RepartitionOptions> = {}): RepartitionOptions {
    const { group } = this
    const processors = processorsOf(this.deployment())
    const named = { owner: 'command', group, processors, stream: this.stream, to, cut: new Set<string>() }
    const rest = { connection: this.#connection, registry, clock: systemClock, log: silentLog, patience: 60_000 }
    return { ...rest, ...named, ...more }
  }

  async repartition(to: number, more: Partial<RepartitionOptions> = {}) {
    const report = await repartition(this.options(to, more))
    this.#partitions = to
    return report
  }

  declare(partitions: number): void {
    this.#partitions = partitions
  }

  declareMore(...names: PipelineName[]): void {
    this.#pipelines.push(...names)
  }

  /** The code that counts is another one from now on, whose state is made anew from the log. */
  rebuild(): void {
    this.#version += 1
  }

  /** What every output of a type says, by key, in the order in which it is stored. */
  async outputs(type: string): Promise<Map<string, Record<string, any>[]>> {
    const found = new Map<string, Record<string, any>[]>()
    for (const { name, root } of [this.stream, this.out])
      for (const message of await readAll(this.#connection, name, [storedFilter(root, type)]))
        for (const decoded of decodeEvents(registry, message, { stream: name, ...message })) {
          if (decoded.kind !== 'event') throw new Error(JSON.stringify(decoded))
          const data = decoded.event.data as Record<string, any>
          found.set(data['card'], found.get(data['card']) ?? [])
          found.get(data['card'])?.push(data)
        }
    return found
  }

  /** Resolves when every event has led to its outputs; fails when one is missing, there twice, or in the wrong order. */
  async verify(): Promise<void> {
    const stored = async (type: string): Promise<number> =>
      (await countOf(this.#connection, this.stream, type)) + (await countOf(this.#connection, this.out, type))
    for (const name of this.#pipelines) {
      const type = OUTPUTS[name]
      const numbers = (outputs: readonly Record<string, any>[]): number[] => outputs.flatMap(({ n, ns = [n] }) => ns)
      const found = await eventually(
        `all outputs of ${name}`,
        async () => {
          if (type !== 'grouped' && this.#options.packed !== true && (await stored(type)) < this.sent) return undefined
          const now = await this.outputs(type)
          return numbers([...now.values()].flat()).length >= this.sent ? now : undefined
        },
        60_000,
      )
      for (const [key, sent] of this.#sent)
        assert.equal(numbers(found.get(key) ?? []), [...Array(sent).keys()], `${name}: ${key}`)
    }
    if (!this.#pipelines.includes('reference')) return
    const sorted = async (type: string) => new Map([...(await this.outputs(type))].sort())
    assert.equal(await sorted('counted'), await sorted('referred'))
  }
}

function pipelines(
  stream: string,
  out: string,
  { packed = false, idle = '150ms', fails = () => false }: WorldOptions,
  version: number,
): Record<PipelineName, DeclaredPipeline> {
  const from = { stream, events: [Paid] } as const
  const counting = (name: string, Output: typeof Counted | typeof Referred, spread: 'keys' | 'one'): DeclaredPipeline =>
    defineKeyed({
      name,
      version,
      upgrade: 'rebuild',
      from,
      to: { stream, events: [Output], packed },
      spread,
      state: z.object({ count: z.number() }),
      init: () => ({ count: 0 }),
      onEvent(context, { data }) {
        context.state = { count: context.state.count + 1 }
        context.emit(Output({ ...data, count: context.state.count }))
      },
    })
  return {
    keyed: counting('count', Counted, 'keys'),
    reference: counting('refer', Referred, 'one'),
    stateless: definePipeline({
      name: 'copy',
      version: 1,
      from,
      to: { stream: out, events: [Copied] },
      recovery: { mode: 'stateless' },
      onError: 'park',
      pipeline: (paid$) =>
        paid$.pipe(
          map(({ data }) => {
            if (fails(data)) throw new Error('it fails here')
            return Copied(data)
          }),
        ),
    }),
    echo: definePipeline({
      name: 'echo',
      version: 1,
      from,
      to: [
        { stream: out, events: [Copied] },
        { stream, events: [Echoed] },
      ],
      recovery: { mode: 'stateless' },
      pipeline: (paid$) => paid$.pipe(map(({ data }) => Echoed(data))),
    }),
    slots: definePipeline({
      name: 'group',
      version: 1,
      from,
      to: { stream, events: [Grouped] },
      keyBy: ({ data }) => data.card,
      recovery: { mode: 'slots', idle },
      pipeline: (paid$) =>
        paid$.pipe(
          bufferTime(50),
          filter((batch) => batch.length > 0),
          map((batch) => Grouped({ card: batch[0]?.data.card ?? '', ns: batch.map(({ data }) => data.n) })),
        ),
    }),
    checkpoint: definePipeline({
      name: 'collect',
      version: 1,
      from,
      to: { stream, events: [Grouped] },
      keyBy: ({ data }) => data.card,
      recovery: { mode: 'checkpoint', idle: '1h' },
      pipeline: (paid$, { ops }) =>
        paid$.pipe(
          ops.bufferTime(50),
          filter((batch) => batch.length > 0),
          map((batch) => Grouped({ card: batch[0]?.data.card ?? '', ns: batch.map(({ data }) => data.n) })),
        ),
    }),
  }
}
