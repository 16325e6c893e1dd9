// What is verified in these tests: processors that repeat themselves, and ones with a mistake that a restart shows.
import {
  bufferCount,
  bufferTime,
  catchError,
  concatMap,
  debounceTime,
  filter,
  map,
  mergeMap,
  of,
  scan,
  tap,
  type Observable,
} from 'rxjs'
import { defineStream } from '../../../src/broker/define-stream.ts'
import type { StoredMessage } from '../../../src/broker/stored-message.ts'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import type { EventDraft } from '../../../src/event/event.ts'
import type { KeyedChange, Processor } from '../../../src/kernel/processor.ts'
import { defineKeyed } from '../../../src/pipeline/define-keyed.ts'
import { definePipeline, type InputOf } from '../../../src/pipeline/define-pipeline.ts'
import { keyedProcessor } from '../../../src/pipeline/keyed/keyed-processor.ts'
import type { PipelineContext } from '../../../src/pipeline/pipeline-context.ts'
import { pipelineProcessor } from '../../../src/pipeline/pipeline-processor.ts'
import { ruleProcessor } from '../../../src/pipeline/rule-processor.ts'
import type { VerifiedMode } from '../../../src/replay/verify/likely-cause.ts'
import { verifyProcessor, type VerifyOptions, type VerifyReport } from '../../../src/replay/verify/verify-processor.ts'
import { installGuard, unguarded } from '../../../src/time/guard.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { storedDraft } from '../../kernel/messages.ts'
import { Alarm, High, Reading, readings, registry } from '../../support/kill-fixture.ts'

export const stream = defineStream({ name: 'T', root: 't', partitions: 4 })
const both = { from: stream, to: stream }

export interface Subject {
  readonly processor: Processor
  readonly mode: VerifiedMode
}

type Build = (readings$: Observable<InputOf<readonly [typeof Reading]>>, ctx: PipelineContext) => Observable<EventDraft>

export function pipeline(name: string, mode: 'stateless' | 'slots' | 'checkpoint', build: Build): Subject {
  const from = { stream: 'T', events: [Reading] } as const
  const to = { stream: 'T', events: [High, Alarm] } as const
  const declared =
    mode === 'stateless'
      ? definePipeline({ name, version: 1, from, to, recovery: { mode }, pipeline: build })
      : definePipeline({
          name,
          version: 1,
          from,
          to,
          keyBy: ({ data }) => data.machine,
          recovery: { mode, idle: 2_000 },
          pipeline: build,
        })
  return { processor: pipelineProcessor(declared, both), mode }
}

/** Any operators: windows of time, and a running sum over them. */
export const windows = pipeline('windows', 'slots', (readings$) =>
  readings$.pipe(
    bufferTime(100),
    filter((batch) => batch.length > 0),
    scan((sum, batch) => ({ machine: batch[0]?.data.machine ?? '', value: sum.value + batch.length }), {
      machine: '',
      value: 0,
    }),
    map((sum) => High(sum)),
  ),
)

/** Operators whose state is stored. */
export const durable = pipeline('durable', 'checkpoint', (readings$, { ops, key }) =>
  readings$.pipe(
    ops.bufferTime(150),
    ops.scan((sum, batch) => sum + batch.length, 0),
    map((value) => High({ machine: key, value })),
  ),
)

/** Steps among timers: what is worth it is scored, and what comes within a while of each other is one. */
export function scored(score: (value: number) => Promise<number> | number = (value) => value * 2): Subject {
  return pipeline('scored', 'slots', (readings$, ctx) =>
    readings$.pipe(
      filter(({ data }) => data.value > 40),
      concatMap(({ data }) =>
        ctx
          .step('score', () => score(data.value), { attempts: 1 })
          .pipe(
            map((value) => High({ machine: data.machine, value })),
            catchError(() => of(High({ machine: data.machine, value: -1 }))),
          ),
      ),
      debounceTime(150),
    ),
  )
}

export const high = pipeline('high', 'stateless', (readings$) =>
  readings$.pipe(
    filter(({ data }) => data.value > 60),
    mergeMap(({ data }) => [High(data), Alarm({ machine: data.machine, count: 1, sum: data.value })]),
    tap(({ data }) => {
      if ('sum' in data && data.sum > 97) throw new Error('too high')
    }),
  ),
)

export const counts: Subject = {
  mode: 'keyed',
  processor: keyedProcessor(
    defineKeyed({
      name: 'counts',
      version: 1,
      from: { stream: 'T', events: [Reading] },
      to: { stream: 'T', events: [Alarm] },
      init: () => ({ count: 0, sum: 0 }),
      onEvent(c, { data }) {
        c.state = { count: c.state.count + 1, sum: c.state.sum + data.value }
        c.timer('end', c.now + 300)
      },
      onTimer(c) {
        c.emit(Alarm({ machine: c.key, ...c.state }))
        c.clear()
      },
    }),
    both,
  ),
}

export const alarm: Subject = {
  mode: 'rule',
  processor: ruleProcessor(
    parseRule(
      `rule: alarm
on: T
key: data.machine
lateness: 60ms
sequence:
  - low: { event: reading.taken, where: data.value < 50 }
  - not: { event: reading.taken, where: data.value == 60 }
  - high: { event: reading.taken, where: data.value > 60, times: 2 }
within: 2s
skip: past-last
emit: { event: machine.alarmed, data: { machine: key, count: count(high), sum: sum(high.data.value) } }
`,
      { file: 'alarm.yaml' },
    ),
    registry,
    both,
  ),
}

/** Mistakes. Each is made anew, for some remember. */
export const mistakes: Readonly<Record<string, () => Subject>> = {
  random: () => valued('random', () => random()),
  clock: () => valued('clock', () => clock()),
  'random id': () =>
    pipeline('id', 'slots', (readings$) => readings$.pipe(map(({ data }) => High({ ...data, machine: uuid() })))),
  'guarded clock': () => {
    installGuard()
    return valued('guarded', () => Date.now())
  },
  'module state': () => {
    let seen = 0
    return valued('module-state', () => (seen += 1))
  },
  'module cache': () => {
    const seen = new Set<string>()
    return pipeline('module-cache', 'slots', (readings$) =>
      readings$.pipe(
        filter(({ id }) => !seen.has(id)),
        tap(({ id }) => seen.add(id)),
        map(({ data }) => High(data)),
      ),
    )
  },
  'state in stateless': () =>
    pipeline('stateful', 'stateless', (readings$) =>
      readings$.pipe(
        bufferCount(3),
        map((batch) => High({ machine: 'all', value: batch.length })),
      ),
    ),
  // only now and then, so that the probe of the running pipeline does not meet it
  'state in stateless, seldom': () =>
    pipeline('seldom', 'stateless', (readings$) =>
      readings$.pipe(
        filter(({ data }) => data.value === 20 || data.value === 55),
        bufferCount(2),
        map((batch) => High({ machine: 'all', value: batch.length })),
      ),
    ),
  'state beside the state': () => beside(new Map()),
  'opaque operator in checkpoint': () =>
    pipeline('opaque', 'checkpoint', (readings$, { key }) =>
      readings$.pipe(
        scan((sum, { data }) => sum + data.value, 0),
        map((value) => High({ machine: key, value })),
      ),
    ),
}

function valued(name: string, value: () => number): Subject {
  return pipeline(name, 'slots', (readings$) =>
    readings$.pipe(map(({ data }) => High({ machine: data.machine, value: value() }))),
  )
}

// as a library keeps them that was loaded before the guard
const random = (): number => unguarded(() => Math.random())
const clock = (): number => unguarded(() => Date.now())
const uuid = (): string => unguarded(() => globalThis.crypto.randomUUID())

function beside(mine: Map<string, number>): Subject {
  const processor = keyedProcessor(
    defineKeyed({
      name: 'beside',
      version: 1,
      from: { stream: 'T', events: [Reading] },
      to: { stream: 'T', events: [High] },
      onEvent(c, { data, sequence }) {
        if (sequence === 1) mine.clear() // so that two runs are the same, and a crash is not
        mine.set(c.key, (mine.get(c.key) ?? 0) + 1)
        c.state = 1
        c.emit(High({ ...data, value: mine.get(c.key) ?? 0 }))
      },
    }),
    both,
  )
  return { processor, mode: 'keyed' }
}

/** A logic of its own that stores what JSON changes: defineKeyed does not let it come to that. */
export const notStored: Subject = {
  mode: 'keyed',
  processor: {
    kind: 'pipeline',
    name: 'dates',
    version: '1',
    from: { stream, types: [Reading.type] },
    to: { stream },
    memory: 'keyed',
    start: () => {
      let changes: KeyedChange[] = []
      return {
        turn: ({ key = '', time }) => {
          changes.push({ key, value: { since: new Date(time) } })
          return []
        },
        takeChanges: () => changes.splice(0),
        entries: () => [],
        stop: () => void (changes = []),
      }
    },
  },
}

/** Readings as a stream has them: in partitions, with gaps. */
export function someMessages(count: number, seed = 1, stepMs = 20): StoredMessage[] {
  return readings(count, seed, stepMs).map((draft, at) => {
    const message = storedDraft(draft, at * 3 + 1)
    return { ...message, subject: `t.${Number(draft.data.machine.slice(1)) % 4}.${draft.type}` }
  })
}

export function verify({ processor, mode }: Subject, options: Partial<VerifyOptions> = {}): Promise<VerifyReport> {
  const messages = options.messages ?? someMessages(400)
  const signal = new AbortController().signal
  return verifyProcessor({ processor, mode, registry, messages, clock: systemClock, signal, ...options })
}
