import type { StreamDeclaration } from '../broker/define-stream.js'
import type { Rule } from '../cep/rule/rule.js'
import type { Registry } from '../event/registry.js'
import type { Processor } from '../kernel/processor.js'
import { RulesLogic } from './rules/rules-logic.js'
import { ruleVersion } from './rule-version.js'
import { rulesProcessorId } from './rules-processor.js'

/**
 * One rule alone as something that the kernel runs: to verify it, and to run it over history. Live it works among the
 * other rules of its stream (see rulesProcessor), and puts out the same events there, with the same ids.
 */
export function ruleProcessor(
  rule: Rule,
  registry: Registry,
  streams: { readonly from: StreamDeclaration; readonly to: StreamDeclaration },
): Processor {
  return {
    kind: 'rule',
    name: rule.name,
    version: ruleVersion(rule, registry),
    worksIn: rulesProcessorId(streams.from.name, streams.to.name),
    from: { stream: streams.from, types: rule.eventTypes },
    to: { stream: streams.to },
    memory: 'snapshot',
    spread: 'one',
    upgrade: 'cut',
    start: (memory) => new RulesLogic({ registry, fixed: [rule] }, memory),
  }
}
