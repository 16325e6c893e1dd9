import { fault, messageOf, type MillraceError } from '../error/millrace-error.js'
import { leaks } from '../time/ambient.js'
import { describeDraft } from './output-check.js'

/** Where a pipeline was when it did something that no replay repeats. */
export interface LastTurn {
  readonly pipeline: string
  /** Of the last event that was handed over; 0: none. */
  readonly sequence: number
  /** Key of the slot; undefined where all keys share one subscription. */
  readonly key?: string | undefined
  /** What to use in the place of what causes it. */
  readonly instead: string
}

const CAUSES = 'a promise (from, mergeMap, async), setTimeout, or a Subject that other code pushes to'

/** What happened while no event was being handled. */
export type OutsideTurn =
  | { readonly kind: 'output'; readonly draft: unknown }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'step'; readonly name: string }
  | { readonly kind: 'completion' }
  /** It was put out while the pipeline was being subscribed to. */
  | { readonly kind: 'subscribing'; readonly draft: unknown }

/** The error that names the output, the place and the likely cause of what happened outside of a turn. */
export function outsideTurn(happened: OutsideTurn, { pipeline, sequence, key, instead }: LastTurn): MillraceError {
  const slot = key === undefined ? '' : ` for key ${JSON.stringify(key)}`
  const place = sequence === 0 ? 'before the first event' : `after the turn of sequence ${sequence}`
  const timers = leaks.timers + leaks.immediates
  const armed = timers === 0 ? '' : `; ${timers} timers of rxjs in this process were armed outside of turns`
  const detail = `${pipeline} ${what(happened)}${slot}, ${place}. Likely cause: ${cause(happened)}${armed}. Use ${instead}`
  return fault('EMITTED_OUTSIDE_TURN', detail, happened.kind === 'error' ? { cause: happened.error } : {})
}

function what(happened: OutsideTurn): string {
  switch (happened.kind) {
    case 'output':
      return `put out ${nameOf(happened.draft)}`
    case 'subscribing':
      return `put out ${nameOf(happened.draft)} when it was subscribed to`
    case 'error':
      return `failed: ${messageOf(happened.error)}`
    case 'step':
      return `asked for ${happened.name}`
    case 'completion':
      return 'completed'
  }
}

function cause({ kind }: OutsideTurn): string {
  return kind === 'subscribing' ? 'startWith, of, or another source that needs no event' : CAUSES
}

function nameOf(draft: unknown): string {
  const { type, key } = (draft ?? {}) as { type?: unknown; key?: unknown }
  if (typeof type !== 'string') return describeDraft(draft)
  return key === undefined ? type : `${type} (key ${JSON.stringify(key)})`
}
