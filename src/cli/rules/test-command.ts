import { runRuleTest, type RuleTestResult } from '../../cep/rule/run-rule-test.js'
import type { Rule } from '../../cep/rule/rule.js'
import { fault } from '../../error/millrace-error.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { counted } from '../table.js'
import { givenRules } from './given-rules.js'

interface TestedRule {
  readonly file: string
  readonly rule: string
  readonly tests: readonly RuleTestResult[]
}

/**
 * Runs the tests of rules, in memory: of all in `streams/`, or of the files and the names that are given. A rule without
 * tests is told.
 * @throws RULE_INVALID when a rule has mistakes, RULE_TESTS_FAILED (exit code 1) when a test failed, DECLARATION_UNKNOWN
 */
export async function testCommand(context: CliContext, given: readonly string[]): Promise<void> {
  const checked = await givenRules(context, given)
  const issues = checked.flatMap(({ problems }) => problems)
  if (issues.length > 0) throw fault('RULE_INVALID', `${issues.length} to correct`, { issues })
  const tested = checked.flatMap(({ file, rule }) => (rule === undefined ? [] : [run(file, rule)]))
  const all = tested.flatMap(({ tests }) => tests)
  const failed = all.filter(({ passed }) => !passed).length
  const untested = tested.filter(({ tests }) => tests.length === 0)
  if (context.json)
    printJson(context, {
      rules: tested,
      passed: all.length - failed,
      failed,
      untested: untested.map(({ rule }) => rule),
    })
  else print(context, tested, all.length - failed, failed)
  if (failed > 0) throw fault('RULE_TESTS_FAILED', counted(failed, 'test'))
}

function run(file: string, rule: Rule): TestedRule {
  return { file, rule: rule.name, tests: rule.tests.map((test) => runRuleTest(rule, test)) }
}

function print({ out }: CliContext, tested: readonly TestedRule[], passed: number, failed: number): void {
  for (const { file, rule, tests } of tested) {
    if (tests.length === 0) out.line(`${out.style('yellow', 'none')}   ${rule}  ${file} has no tests`)
    for (const test of tests) {
      const place = [file, test.line, test.column].filter((part) => part !== undefined).join(':')
      const verdict = test.passed ? out.style('green', 'passed') : out.style('red', 'failed')
      out.line(`${verdict} ${rule}  ${test.name}${test.passed ? '' : `  ${place}`}`)
      if (test.passed) continue
      for (const difference of test.differences) out.line(`         ${difference}`)
      for (const note of test.notes) out.line(`         ${out.style('gray', `note: ${note}`)}`)
    }
  }
  out.line(`${counted(passed, 'test')} passed, ${failed} failed`)
}
