import type { Remark } from '../../kernel/remark.js'
import type { RuleChange } from './rule-change.js'
import type { Draining, RuleEntry } from './rule-entry.js'

type Put = Extract<RuleChange, { kind: 'put' }>

/** What is said in the log about changes of rules. */
export class RuleRemarks {
  #remarks: Remark[] = []

  take(): readonly Remark[] {
    const taken = this.#remarks
    this.#remarks = []
    return taken
  }

  /** @param partials that were dropped */
  switched(
    { name, revision, paused, onChange, by }: Put,
    {
      after,
      old,
      partials,
    }: { readonly after: number; readonly old: RuleEntry | undefined; readonly partials: number },
  ): void {
    const [was, is] = [old?.status === 'paused', paused]
    const what = is ? 'rule paused' : was && old?.revision === revision ? 'rule resumed' : 'rule deployed'
    const fields = { rule: name, revision, from: old?.revision ?? null, after, onChange, by }
    if (partials === 0) this.#add('info', what, fields)
    else this.#add('warn', `${what}: what it had begun is dropped`, { ...fields, dropped: partials })
  }

  removed({ name, by }: RuleChange, after: number, partials: number): void {
    this.#add(partials === 0 ? 'info' : 'warn', 'rule removed', { rule: name, after, by, dropped: partials })
  }

  /** @param stays whether a former revision goes on */
  refused({ name, revision, by }: Put, problem: string, stays: boolean): void {
    const what = stays ? 'the revision before it goes on' : 'it does not run'
    this.#add('error', `a deployed rule cannot be read here: ${what}`, { rule: name, revision, by, problem })
  }

  /** @param dropped what it had begun */
  failed({ name, revision }: RuleEntry, problem: string, dropped: number): void {
    this.#add('error', 'a rule has failed: it is broken, and what it had begun is dropped; the others go on', {
      rule: name,
      revision,
      problem,
      dropped,
    })
  }

  unreadable(name: string, revision: number | null, problem: string): void {
    this.#add('error', 'a rule cannot be read any more: it does not run', { rule: name, revision, problem })
  }

  startsEmpty(name: string): void {
    this.#add('warn', 'a rule follows from other code or contracts than before: it starts empty', { rule: name })
  }

  inCode(name: string): void {
    this.#add('warn', 'a rule of this name is a part of the code: what was deployed is passed over', { rule: name })
  }

  gone(name: string): void {
    this.#add('info', 'a rule is no longer a part of the code', { rule: name })
  }

  drained({ name, revision }: Draining): void {
    this.#add('info', 'the former revision of a rule is done with what it had begun', { rule: name, revision })
  }

  drainFailed({ name, revision }: Draining, problem: string): void {
    this.#add('error', 'the former revision of a rule has failed: what it had begun is dropped', {
      rule: name,
      revision,
      problem,
    })
  }

  /** @param most that was under way: what it began after the change, and would not have put out, is among it */
  drainCut({ name, revision }: Draining, most: number | undefined): void {
    const fields = { rule: name, revision, ...(most === undefined ? {} : { droppedAtMost: most }) }
    this.#add('warn', 'what the former revision of a rule had begun is dropped', fields)
  }

  #add(level: Remark['level'], message: string, fields: Remark['fields']): void {
    this.#remarks.push({ level, message, fields })
  }
}
