// Jobs whose log, queue and letters are in memory, and a process that may be killed before or after each thing that it does.
import { z } from 'zod'
import { fixed } from '../../../src/delivery/backoff.ts'
import { defineEvent } from '../../../src/event/contract.ts'
import type { Admission } from '../../../src/job/admission.ts'
import { jobOf } from '../../../src/job/decide-job.ts'
import { defineJob } from '../../../src/job/define-job.ts'
import { definePrompt } from '../../../src/job/define-prompt.ts'
import type { JobEvent, JobRequest } from '../../../src/job/job-event.ts'
import type { ModelClient } from '../../../src/job/model-client.ts'
import { NO_PROGRESS } from '../../../src/job/progress/job-progress.ts'
import type { FirstRecord, QueuedJob } from '../../../src/job/take-request.ts'
import { doJob } from '../../../src/job/worker/do-job.ts'
import { TaskProgress } from '../../../src/job/worker/task-progress.ts'
import { TokenEstimates } from '../../../src/job/worker/token-estimates.ts'
import type { JobPlace, TaskEnd, WorkPorts } from '../../../src/job/worker/work-ports.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'

/** What the model says: a result, what is none, a failure that passes, one that does not. */
export type Says = 'good' | 'wrong' | 'ill' | 'never'

export const job = defineJob({
  name: 'judge',
  on: { stream: 'SHOP', event: defineEvent('case.asked', { data: z.object({ text: z.string() }) }) },
  prompt: definePrompt({ id: 'judge', version: 1, user: 'Judge: {{text}}' }),
  result: z.object({ verdict: z.string() }),
  model: 'm',
  maxTokens: 10,
  retry: { attempts: 3, backoff: fixed(1_000) },
})

const request: JobRequest = {
  id: 'a',
  name: 'judge',
  lane: 'standard',
  tenant: 'acme',
  input: { text: 'x' },
  inputEvents: ['a'],
  deadline: undefined,
}
export const queued: QueuedJob = { id: 'a', lane: 'standard', tenant: 'acme', tokens: 20 }

/** What the queue says that the log has. */
export const FIRST: FirstRecord = { sequence: 1, requested: { type: 'job.requested', at: 1, request } }

class Killed extends Error {}

export class MemoryJobs {
  events: readonly JobEvent[] = [FIRST.requested]
  /** Messages of the queue, by sequence. */
  readonly messages = new Map<number, QueuedJob>([[1, queued]])
  /** Those whose first delivery is yet to come, and which say what the log had when they were stored. */
  readonly fresh = new Map<number, FirstRecord>([[1, FIRST]])
  readonly letters = new Map<number, number>()
  /** How often the log was read by who did a job. */
  reads = 0
  readonly calls: Says[] = []
  settled = 0
  /** It passes with what is put off. */
  time = 1_000
  kills = 0
  #sequence = 1
  #steps = 0
  readonly #says: readonly Says[]
  #killAt: readonly number[]
  /** Called while an answer is on its way. */
  onCall: () => Promise<void> = async () => undefined

  /** @param killAt at which steps, of all, a process is killed */
  constructor(says: readonly Says[], killAt: readonly number[] = []) {
    this.#says = says
    this.#killAt = killAt
  }

  get state() {
    return jobOf(this.events)
  }

  /** The server delivers a message to a process of its own. @returns undefined: it was killed */
  async deliver(message: number): Promise<TaskEnd | undefined> {
    const life = { dead: false }
    const step = <T>(work: () => T): Promise<T> => this.#step(life, work)
    const place: JobPlace = {
      log: {
        read: () => {
          this.reads += 1
          return step(() => ({ state: this.state, version: this.events.length }))
        },
        assume: () => undefined,
        append: (_, version, events) =>
          step(() => {
            if (this.events.length !== version) return false
            this.events = [...this.events, ...events]
            return true
          }),
      },
      queue: {
        later: (later, _, at) =>
          step(() => {
            this.add(later)
            this.time = Math.max(this.time, at)
          }),
        move: (moved) => step(() => this.add(moved)),
        has: (sequence, id) => step(() => this.messages.get(sequence)?.id === id),
      },
      letter: ({ account }) => step(() => void this.letters.set(account.generation, 1)),
      declared: () => job,
      progress: NO_PROGRESS,
      context: 'SHOP',
    }
    const ports: WorkPorts = {
      client: this.#client(life),
      admission: this.#admission(step),
      estimates: new TokenEstimates(),
      clock: systemClock,
      log: silentLog,
      chance: () => 0,
      now: () => this.time,
      owner: 'me',
      onRefused: () => undefined,
      onAnswered: () => undefined,
    }
    const { signal } = new AbortController()
    const first = this.fresh.get(message)
    this.fresh.delete(message)
    const deliveries = first === undefined ? 9 : 1
    const telling = new TaskProgress(NO_PROGRESS)
    try {
      const end = await doJob(ports, { place, queued, first, message, deliveries, call: signal, signal, telling })
      if (end === 'done') await step(() => void this.messages.delete(message))
      return end
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      this.kills += 1
      return undefined
    }
  }

  add(message: QueuedJob, first?: FirstRecord): void {
    this.messages.set((this.#sequence += 1), message)
    if (first !== undefined) this.fresh.set(this.#sequence, first)
  }

  /** One thing that a process does: it may be killed before it, or when it is done and not known to be. */
  async #step<T>(life: { dead: boolean }, work: () => T): Promise<T> {
    await Promise.resolve()
    if (life.dead) throw new Killed()
    const [before, after] = [(this.#steps += 1), (this.#steps += 1)]
    if (this.#killAt.includes(before)) life.dead = true
    if (life.dead) throw new Killed()
    const done = work()
    if (this.#killAt.includes(after)) life.dead = true
    if (life.dead) throw new Killed()
    return done
  }

  #admission(step: <T>(work: () => T) => Promise<T>): Admission {
    return {
      admit: () =>
        step(() => ({
          kind: 'admitted' as const,
          permit: {
            settle: () => step(() => ((this.settled += 1), 5)),
            end: async () => undefined,
          },
        })),
      places: 1,
      onChange: () => () => undefined,
      stop: async () => undefined,
    }
  }

  #client(life: { dead: boolean }): ModelClient {
    const said = (): Says => this.#says[this.calls.length] ?? 'good'
    return {
      open: async () => {
        if (life.dead) throw new Killed()
        const what = said()
        this.calls.push(what)
        await this.onCall()
        if (what === 'ill' || what === 'never') throw new Error(what)
        return { requestId: 'r', header: () => undefined, events: answer(what) }
      },
      factsOf: (error) => {
        const never = (error as Error).message === 'never'
        const from = never ? 'status' : 'connection'
        return { from, status: never ? 400 : undefined, message: 'no', requestId: undefined, header: () => undefined }
      },
    }
  }
}

async function* answer(what: Says) {
  const text = what === 'good' ? '{"verdict":"fine"}' : '{"other":1}'
  yield { type: 'message_start', message: { model: 'm', usage: { input_tokens: 3, output_tokens: 1 } } }
  yield { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }
  yield { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }
  yield { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4 } }
  yield { type: 'message_stop' }
}
