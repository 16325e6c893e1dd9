import type { Billed, JobEvent } from '../../job/job-event.js'
import type { JobAccount, JobState } from '../../job/job-state.js'
import { inputOf } from '../../job/usage.js'
import { formatDuration } from '../../time/duration.js'
import { count } from '../table.js'

// What there is to be said of a job and of its events, in a line each. Pure.

/** Where a job stands. @param time a time for a person */
export function standingOf(state: JobState, time: (at: number) => string): string {
  switch (state.kind) {
    case 'none':
      return 'there is no such job'
    case 'waiting':
      return state.from === undefined ? 'waiting' : `waiting until ${time(state.from)}`
    case 'admitted':
      return `admitted, attempt ${state.attempt}`
    case 'running':
      return `running, attempt ${state.attempt} by ${state.owner}`
    case 'answered':
      return `answered by attempt ${state.attempt}, not yet checked`
    case 'valid':
      return `answered by attempt ${state.attempt}, not yet decided`
    case 'decided':
      return state.overriddenBy === undefined ? 'decided' : `decided by ${state.overriddenBy}`
    case 'dead':
      return `dead letter: ${state.reason}`
  }
}

/** What an event says beside its type, its time and its attempt. */
export function saidBy(event: JobEvent, time: (at: number) => string): string {
  switch (event.type) {
    case 'job.requested':
      return `${event.request.lane}, tenant ${event.request.tenant}`
    case 'job.admitted':
      return `${count(event.estimatedTokens)} tokens estimated`
    case 'job.attempt-started': {
      const { model, owner, prompt } = event
      return `${model}, prompt ${prompt.id} ${prompt.version} (${prompt.hash.slice(0, 8)}), by ${owner}`
    }
    case 'job.attempt-failed': {
      const again = event.again === undefined ? '' : `again from ${time(event.again)}`
      return listed(event.reason, event.counts ? '' : 'does not count', again, requestOf(event), billOf(event.billed))
    }
    case 'job.completed':
      if (event.cached !== undefined) return listed(event.stopReason, `the answer that job ${event.cached.job} has had`)
      return listed(event.stopReason, requestOf(event), billOf(event.billed))
    case 'job.attempt-billed':
      return listed('given up before', billOf(event.billed))
    case 'job.demoted':
      return `to the lane batch: its tenant has used up what it should until ${time(event.until)}`
    case 'job.promoted':
      return `to the lane standard: batches take ${formatDuration(event.usual)}, and its deadline is nearer`
    case 'job.validated':
      return JSON.stringify(event.result)
    case 'job.invalidated':
      return event.issues.map(({ pointer = '', detail }) => `${pointer} ${detail}`.trim()).join('; ')
    case 'job.decided':
      return JSON.stringify(event.decision)
    case 'job.overridden':
      return listed(`by ${event.by}`, event.why, JSON.stringify(event.decision))
    case 'job.dead-lettered':
      return listed(event.code ?? '', event.reason)
    case 'job.redriven':
      return `by ${event.by}`
  }
}

/** Billionths, as the number that they are of the currency. */
export function priceText(nanos: number): string {
  return (nanos / 1e9).toFixed(9).replace(/(\.\d\d\d*?)0+$/, '$1')
}

/** What so many calls cost, of which some had no price: `no price`, or `0.01 + ?`. */
export function costText(nanos: number, calls: number, unpriced: number): string {
  if (unpriced === 0) return priceText(nanos)
  return unpriced >= calls ? 'no price' : `${priceText(nanos)} + ?`
}

/** What a job was billed. */
export function priceOf({ nanos, billed, unpriced }: JobAccount): string {
  return costText(nanos, billed.length, unpriced)
}

function billOf(billed: Billed | undefined): string {
  if (billed === undefined) return 'not billed'
  const { usage, nanos, estimated } = billed
  const price = nanos === undefined ? 'no price' : priceText(nanos)
  return `${count(inputOf(usage))} tokens in, ${count(usage.output)} out${estimated ? ' (estimated)' : ''}, ${price}`
}

function requestOf({ requestId }: { readonly requestId: string | undefined }): string {
  return requestId ?? ''
}

function listed(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(', ')
}
