import { defineStream, type StreamDeclaration } from '../broker/define-stream.js'
import { parseRule } from '../cep/rule/parse-rule.js'
import type { EventContract } from '../event/contract.js'
import { createRegistry, type Registry } from '../event/registry.js'
import type { Processor } from '../kernel/processor.js'
import { declaredProcessor, type DeclaredPipeline } from '../pipeline/declared-pipeline.js'
import { ruleProcessor } from '../pipeline/rule-processor.js'
import type { VerifiedMode } from '../replay/verify/likely-cause.js'
import { mergeStreamsOf, pipelineStreams } from '../runtime/deployment.js'

/** What is tested, as the kernel runs it, with streams that follow from its declaration. */
export interface SubjectUnderTest {
  readonly processor: Processor
  readonly registry: Registry
  readonly mode: VerifiedMode
  /** Name of the stream that events of a type are published to; undefined: it does not read them. */
  inputOf(type: string): string | undefined
}

/** @throws CONTRACT_DUPLICATE, STREAM_INVALID */
export function pipelineUnderTest(pipeline: DeclaredPipeline, more: readonly EventContract[]): SubjectUnderTest {
  const { inputs, outputs } = pipeline
  const registry = createRegistry([...[...inputs, ...outputs].flatMap(({ events }) => events), ...more])
  const named = streamsNamed([...inputs, ...outputs].map(({ stream }) => stream))
  const pipelines = [pipeline]
  const streams = [...named, ...mergeStreamsOf({ streams: named, pipelines })]
  const deployment = { folder: '', streams, registry, pipelines, rules: [], actors: [], homes: new Map() }
  return {
    processor: declaredProcessor(pipeline, pipelineStreams(deployment, pipeline), { strict: true }),
    registry,
    mode: pipeline.kind === 'keyed' ? 'keyed' : pipeline.recovery.mode,
    inputOf: (type) => inputs.find(({ events }) => events.some((contract) => contract.type === type))?.stream,
  }
}

/** @param file for messages. @throws RULE_INVALID, CONTRACT_DUPLICATE, STREAM_INVALID */
export function ruleUnderTest(text: string, file: string, contracts: readonly EventContract[]): SubjectUnderTest {
  const registry = createRegistry(contracts)
  const rule = parseRule(text, {
    file,
    contracts: {
      types: registry.types,
      get: (type) => {
        const contract = registry.get(type)
        return contract === undefined ? undefined : { fields: contract.fields() }
      },
    },
  })
  const [from, to = from] = streamsNamed([rule.on, rule.to])
  if (from === undefined || to === undefined) throw new RangeError('a rule has a stream')
  return {
    processor: ruleProcessor(rule, registry, { from, to }),
    registry,
    mode: 'rule',
    inputOf: (type) => (rule.eventTypes.includes(type) ? rule.on : undefined),
  }
}

/** Where nothing is known of a stream but its name, it is as one that says nothing. */
function streamsNamed(names: readonly string[]): StreamDeclaration[] {
  return [...new Set(names)].map((name) => defineStream({ name, root: name.toLowerCase() }))
}
