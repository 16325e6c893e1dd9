import type { Node } from 'yaml'
import { isField } from '../../event/contract-fields.js'
import type { DataKind } from '../../event/contract-kinds.js'
import { nearestName } from '../../event/nearest-name.js'
import type { Kinds } from '../cel/check-kinds.js'
import { compileCel } from '../cel/compile-cel.js'
import type { ConditionFacts } from '../cel/condition-facts.js'
import type { Scope, StageScope } from '../cel/scope.js'
import type { Evaluate, Slots } from '../cel/slots.js'
import type { RuleFile } from './rule-file.js'
import type { ContractLookup, KnownContract } from './rule.js'

/** What an expression of a rule may use. */
export interface Over {
  readonly variables: readonly string[]
  readonly stages?: ReadonlyMap<string, StageScope>
  /** Names of what was computed for a match. */
  readonly values?: ReadonlyMap<string, Kinds>
  readonly slots: Slots
  /** Types of the event that `data` is of. */
  readonly types: readonly string[]
  /** Each of the types must have what is named, not just one of them. */
  readonly all?: boolean
  readonly wanted?: 'bool'
  readonly hint?: string
}

export interface CompiledExpression {
  readonly evaluate: Evaluate
  readonly local: boolean
  readonly facts: ConditionFacts
  readonly kinds: Kinds
}

/** What the expressions of one rule may use, and the check of what they name against the contracts. */
export class RuleScope {
  readonly file: RuleFile
  readonly #contracts: ContractLookup | undefined
  /** Event types of each stage read so far. */
  readonly stageTypes = new Map<string, readonly string[]>()

  constructor(file: RuleFile, contracts: ContractLookup | undefined) {
    this.file = file
    this.#contracts = contracts
  }

  /** Notes an event type that no contract has. */
  checkType(type: string, at: number): void {
    if (!/^[A-Za-z0-9][A-Za-z0-9._/-]{0,254}$/.test(type))
      this.file.issue(at, `${type.slice(0, 100)} is not an event type`)
    else if (this.#contracts !== undefined && this.#contracts.get(type) === undefined) {
      const nearest = nearestName(type, this.#contracts.types ?? [])
      this.file.issue(at, `no contract for ${type}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`)
    }
  }

  contract(type: string): KnownContract | undefined {
    return this.#contracts?.get(type)
  }

  /** What is wrong with a path of an event of one of the types; `all`: each of them must have it. */
  fieldProblem(types: readonly string[], path: string, all: boolean): string | undefined {
    const known = types.flatMap((type) => {
      const contract = this.#contracts?.get(type)
      return contract === undefined ? [] : [{ type, fields: contract.fields }]
    })
    if (known.length < types.length && !all) return undefined
    const without = known.filter(({ fields }) => !isField(fields, path))
    if (without.length === 0 || (!all && without.length < known.length)) return undefined
    const fields = without.flatMap((contract) => contract.fields)
    const nearest = nearestName(path, fields)
    const hint = nearest === undefined ? `there are: ${fields.join(', ')}` : `did you mean ${nearest}?`
    return `${without.map(({ type }) => type).join(', ')} has no ${path}; ${hint}`
  }

  /** What can be at a path of an event of one of the types; undefined when one of them leaves it open or is not known. */
  kindsAt(types: readonly string[], path: string): Kinds {
    const kinds = new Set<DataKind>()
    for (const type of types) {
      const contract = this.#contracts?.get(type)
      if (contract !== undefined && !isField(contract.fields, path)) continue // another of the types has it
      const found = contract?.kindsAt?.(path)
      if (found === undefined) return undefined
      for (const kind of found) kinds.add(kind)
    }
    return kinds.size === 0 ? undefined : kinds
  }

  /**
   * Compiles an expression of the file; what is wrong with it is noted at its place.
   * @param part where it begins, when it is a part of the value of the node
   */
  compile(
    node: Node,
    value: string,
    over: Over,
    part: { readonly whole: string; readonly at: number } = { whole: value, at: 0 },
  ): CompiledExpression | undefined {
    const types = (stage: string | null) => (stage === null ? over.types : (this.stageTypes.get(stage) ?? []))
    const scope: Scope = {
      variables: over.variables,
      stages: over.stages ?? new Map<string, StageScope>(),
      slots: over.slots,
      fieldProblem: (stage, path) => this.fieldProblem(types(stage), path, over.all === true),
      kindsOf: (stage, path) => this.kindsAt(types(stage), path),
      ...(over.values === undefined ? {} : { valueKinds: over.values }),
    }
    const compiled = compileCel(value, scope, over.wanted)
    if (compiled.ok) return compiled
    for (const { at, detail } of compiled.problems)
      this.file.issue(
        this.file.within(node, part.whole, part.at + at),
        `${detail}${over.hint ?? ''}`,
        'EXPRESSION_INVALID',
      )
    return undefined
  }
}
