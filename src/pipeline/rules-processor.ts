import { createHash } from 'node:crypto'
import type { StreamDeclaration } from '../broker/define-stream.js'
import type { Rule } from '../cep/rule/rule.js'
import type { Registry } from '../event/registry.js'
import { processorId, type Processor } from '../kernel/processor.js'
import { ruleId } from './rules/match-output.js'
import { RulesLogic, type AwaitChanges } from './rules/rules-logic.js'
import { canonical, ruleVersion } from './rule-version.js'

/** Of what is done with rules and their states by this code. Another number makes of a stored state another code’s. */
const FORMAT = 1

export interface RulesProcessorOptions {
  readonly registry: Registry
  readonly from: StreamDeclaration
  readonly to: StreamDeclaration
  /** Rules that are a part of the code: they change when it does. */
  readonly fixed: readonly Rule[]
  /** Where changes of the other rules come from. Absent: there are no others. */
  readonly awaitChanges?: AwaitChanges | undefined
}

/**
 * All rules that read one stream and write to one stream, as something that the kernel runs (docs/decisions/0017). It
 * reads every type of the stream, for which rules there are changes while it runs. Each rule keeps a name of its own in
 * the source and the ids of its events, and in dead letters.
 *
 * Its version is that of code and contracts. A rule that follows from others than before starts empty, where the new
 * code takes over; the others keep their states.
 */
export function rulesProcessor({ registry, from, to, fixed, awaitChanges }: RulesProcessorOptions): Processor {
  return {
    kind: 'rules',
    name: rulesName(from.name, to.name),
    version: versionOf(registry, fixed),
    from: { stream: from },
    to: { stream: to },
    memory: 'snapshot',
    spread: 'one',
    upgrade: 'keep',
    partOf: ({ source = '' }) => partOf(source),
    start: (memory) => new RulesLogic({ registry, fixed, awaitChanges }, memory),
  }
}

/** Id of the processor that the rules from one stream to another work in. */
export function rulesProcessorId(from: string, to: string): string {
  return processorId({ kind: 'rules', name: rulesName(from, to) })
}

function rulesName(from: string, to: string): string {
  return from === to ? from : `${from}_to_${to}`
}

function partOf(source: string): string | undefined {
  const name = /^\/millrace\/rules\/(.+)$/.exec(source)?.[1]
  return name === undefined ? undefined : ruleId(name)
}

function versionOf(registry: Registry, fixed: readonly Rule[]): string {
  const contracts = [...registry.types].sort().map((type) => {
    const contract = registry.get(type)
    return [type, contract?.version, contract?.jsonSchema()]
  })
  const rules = fixed.map((rule) => [rule.name, ruleVersion(rule, registry)])
  return createHash('sha256')
    .update(canonical([FORMAT, contracts, rules]))
    .digest('hex')
    .slice(0, 32)
}
