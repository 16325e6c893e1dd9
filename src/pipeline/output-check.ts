import { fault, type MillraceError } from '../error/millrace-error.js'
import type { EventDraft } from '../event/event.js'
import type { PipelineDeclaration } from './define-pipeline.js'

/** Tells what a pipeline may put out from what it may not. */
export class OutputCheck {
  readonly #name: string
  readonly #allowed: ReadonlySet<string>

  constructor({ name, to }: Pick<PipelineDeclaration, 'name' | 'to'>) {
    this.#name = name
    this.#allowed = new Set(to.events.map(({ type }) => type))
  }

  /** What is wrong with a draft (OUTPUT_INVALID), or undefined. */
  problem(draft: EventDraft): MillraceError | undefined {
    const type = (draft as EventDraft | undefined)?.type
    if (type !== undefined && this.#allowed.has(type)) return undefined
    return fault('OUTPUT_INVALID', `${this.#name} put out ${describeDraft(draft)}`)
  }
}

/** A draft, or what was put out in the place of one, for a person. */
export function describeDraft(draft: unknown): string {
  try {
    return JSON.stringify(draft)?.slice(0, 200) ?? String(draft)
  } catch {
    return Object.prototype.toString.call(draft) // it cannot be written as JSON, which is part of what is wrong with it
  }
}
