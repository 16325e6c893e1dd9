import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fault, messageOf } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import { parseTime } from '../event/rfc3339.js'
import type { DeclaredPipeline } from '../pipeline/declared-pipeline.js'
import { installGuard } from '../time/guard.js'
import { PipelineTest } from './pipeline-test.js'
import { pipelineUnderTest, ruleUnderTest } from './subject-under-test.js'

// oxlint-disable-next-line typescript/no-explicit-any -- a list of contracts of any types
type Contracts = readonly EventContract<string, any>[]

export interface TestOptions {
  /** Further contracts, of events that come in a recording for instance. */
  readonly contracts?: Contracts
  /** When the test begins: `2026-01-31T12:00:00Z`, or ms since 1970. Default: the beginning of 2026. */
  readonly start?: string | number
}

const START = Date.UTC(2026, 0, 1)

/**
 * Tests a pipeline, of operators or of keyed state, without a server: it is given events and time, and tells what it put
 * out. Works in any test runner; what is wrong is thrown.
 *
 * @example
 * testPipeline(velocity)
 *   .events([1, 2, 3].map((n) => Authorized({ cardId: 'c', amount: n })))
 *   .advance('1m')
 *   .crashEverywhere()
 *   .outputs(Hasty)
 * @throws TEST_INVALID, CONTRACT_DUPLICATE
 */
export function testPipeline(pipeline: DeclaredPipeline, { contracts = [], start }: TestOptions = {}): PipelineTest {
  installGuard()
  if (pipeline?.kind !== 'pipeline' && pipeline?.kind !== 'keyed')
    throw fault('TEST_INVALID', 'testPipeline takes what definePipeline or defineKeyed made')
  return new PipelineTest(pipelineUnderTest(pipeline, contracts), startOf(start))
}

/**
 * Tests a rule in the same way.
 * @param rule path or URL of its file, or its text: `{ text: 'rule: …' }`
 * @param options `contracts` of the events that it reads and emits
 * @throws RULE_INVALID with every problem at its place, INPUT_UNREADABLE, TEST_INVALID, CONTRACT_DUPLICATE
 */
export function testRule(
  rule: string | URL | { readonly text: string },
  { contracts, start }: TestOptions & { readonly contracts: Contracts },
): PipelineTest {
  const isText = typeof rule === 'object' && 'text' in rule
  const file = isText ? 'rule.yaml' : rule instanceof URL ? fileURLToPath(rule) : rule
  return new PipelineTest(ruleUnderTest(isText ? rule.text : read(file), file, contracts), startOf(start))
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw fault('INPUT_UNREADABLE', messageOf(error), { cause: error })
  }
}

function startOf(start: TestOptions['start'] = START): number {
  const time = typeof start === 'string' ? parseTime(start) : start
  if (time !== undefined && Number.isFinite(time)) return time
  throw fault('TEST_INVALID', `start ${JSON.stringify(start)}: write it like 2026-01-31T12:00:00Z`)
}
