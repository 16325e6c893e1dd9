import type { CachedAnswer } from '../answer-cache.js'
import type { JobDeclaration } from '../job-options.js'
import type { JobAccount, JobState } from '../job-state.js'
import type { ModelAsk } from '../model-client.js'
import { readResult } from '../result-schema.js'
import { NO_USAGE } from '../usage.js'
import { insisting, type JobHistory } from './job-history.js'
import { later } from './put-off.js'
import type { JobTask, TaskEnd, WorkPorts } from './work-ports.js'

export interface CacheAsked {
  readonly job: JobDeclaration
  readonly account: JobAccount
  readonly history: JobHistory
  readonly ask: ModelAsk
}

/** What the cache has. */
export type CacheAnswer =
  | { readonly kind: 'end'; readonly end: TaskEnd | undefined }
  /** It is to be asked. `landed` is called when it was, or when it is given up. */
  | { readonly kind: 'ask'; landed(state: JobState): Promise<void> }

const NO_CACHE: CacheAnswer = { kind: 'ask', landed: () => Promise.resolve() }

/** Looks whether another job has asked the same before. An answer that has to be mended is not looked for. */
export async function takeCached(ports: WorkPorts, task: JobTask, asked: CacheAsked): Promise<CacheAnswer> {
  const { cache, clock } = ports
  const { job, account, ask } = asked
  if (cache === undefined || job.cacheTtl === undefined || account.repair !== undefined) return NO_CACHE
  const scope = { context: task.place.context, tenant: account.request.tenant, ttl: job.cacheTtl }
  const found = await insisting({ clock, signal: task.call }, () => cache.find(ask, scope))
  switch (found.kind) {
    case 'flying':
      return { kind: 'end', end: await later(ports, task, found.again) }
    case 'hit':
      return { kind: 'end', end: await takeHit(ports, task, asked, found.answer) }
    case 'miss':
      return {
        kind: 'ask',
        landed: (state) => {
          const answer = answerOf(asked, state)
          return answer === undefined ? found.land() : found.store(answer)
        },
      }
  }
}

async function takeHit(
  { owner, admission }: WorkPorts,
  task: JobTask,
  { job, ask, history }: CacheAsked,
  { job: from, savedTokens, text, stopReason }: CachedAnswer,
): Promise<TaskEnd | undefined> {
  const { id, version, hash } = job.prompt
  const start = { owner, model: ask.model, prompt: { id, version, hash }, message: task.message }
  const told = await history.tell({ kind: 'start', ...start, estimatedTokens: 0 })
  if (told === 'told' && history.state.kind === 'running') {
    const billed = { usage: NO_USAGE, nanos: 0, estimated: false }
    const end = { kind: 'completed', stopReason, text, billed, cached: { job: from, savedTokens } } as const
    const { attempt } = history.state
    if ((await history.tell({ kind: 'end', attempt, requestId: undefined, end })) === 'told') {
      const { id: own, name, tenant } = history.state.account.request
      await admission.spared?.({ job: own, context: task.place.context, name, attempt, tenant }, savedTokens)
      return undefined
    }
  }
  await history.read()
  return undefined
}

/** Only what is a result is kept. */
function answerOf({ job, account, ask }: CacheAsked, state: JobState): CachedAnswer | undefined {
  if (state.kind !== 'answered' || readResult(job.result, state.text).kind !== 'valid') return undefined
  const { text, stopReason } = state
  const tokensOf = (of: JobAccount): number => of.inputTokens + of.outputTokens
  const savedTokens = tokensOf(state.account) - tokensOf(account)
  return { text, stopReason, model: ask.model, savedTokens, job: account.request.id }
}
