import { contractsProcessor } from '../pipeline/contracts-processor.js'
import { pipelineProcessor } from '../pipeline/pipeline-processor.js'
import { ruleProcessor } from '../pipeline/rule-processor.js'
import type { Processor } from '../kernel/processor.js'
import { streamNamed, type Deployment } from './deployment.js'

/** Every processor of a deployment: one per pipeline and rule, and one per stream that minds its contracts. */
export function processorsOf(deployment: Deployment): Processor[] {
  const stream = (name: string) => streamNamed(deployment, name)
  return [
    ...deployment.streams.map((declared) => contractsProcessor(declared)),
    ...deployment.pipelines.map((pipeline) =>
      pipelineProcessor(pipeline, { from: stream(pipeline.from.stream), to: stream(pipeline.to.stream) }),
    ),
    ...deployment.rules.map(({ rule }) =>
      ruleProcessor(rule, deployment.registry, { from: stream(rule.on), to: stream(rule.to) }),
    ),
  ]
}
