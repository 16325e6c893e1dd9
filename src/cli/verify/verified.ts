import type { Registry } from '../../event/registry.js'
import type { Processor } from '../../kernel/processor.js'
import { declaredProcessor, type DeclaredPipeline } from '../../pipeline/declared-pipeline.js'
import { ruleProcessor } from '../../pipeline/rule-processor.js'
import type { VerifiedMode } from '../../replay/verify/likely-cause.js'
import { pipelineNamed, pipelineStreams, streamNamed, type Deployment } from '../../runtime/deployment.js'
import { isFault } from '../../error/millrace-error.js'
import { ruleBy } from '../rules/rule-source.js'

/** What is to be verified. */
export interface Verified {
  readonly processor: Processor
  readonly mode: VerifiedMode
  readonly registry: Registry
}

/**
 * A pipeline by its name, or a rule by its name or file. A pipeline goes before a rule of the same name.
 * @throws DECLARATION_UNKNOWN naming the pipelines and rules that there are, RULE_INVALID
 */
export async function verifiedBy(name: string, deployment: Deployment): Promise<Verified> {
  const { registry, pipelines } = deployment
  const pipeline = pipelines.find((declared) => declared.name === name)
  if (pipeline !== undefined)
    return {
      processor: declaredProcessor(pipeline, pipelineStreams(deployment, pipeline), { strict: true }),
      mode: modeOf(pipeline),
      registry,
    }
  try {
    const rule = await ruleBy(name, deployment)
    const streams = { from: streamNamed(deployment, rule.on), to: streamNamed(deployment, rule.to) }
    return { processor: ruleProcessor(rule, registry, streams), mode: 'rule', registry }
  } catch (error) {
    if (!isFault(error, 'DECLARATION_UNKNOWN') || pipelines.length === 0) throw error
    pipelineNamed(deployment, name) // says which pipelines there are
    throw error
  }
}

function modeOf(pipeline: DeclaredPipeline): VerifiedMode {
  return pipeline.kind === 'keyed' ? 'keyed' : pipeline.recovery.mode
}
