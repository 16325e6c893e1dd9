import { EXIT } from '../../error/exit-code.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { issueLine } from '../print-error.js'
import { counted } from '../table.js'
import type { CheckedRule } from './check-rules.js'
import { givenRules } from './given-rules.js'

/**
 * Checks rules by their files or names, all of `streams/` when none is given. Exit code 2 when there are problems.
 * @throws DECLARATION_UNKNOWN, STREAMS_FOLDER_MISSING, DECLARATION_INVALID, CONTRACT_DUPLICATE
 */
export async function checkCommand(context: CliContext, given: readonly string[]): Promise<void> {
  const checked = await givenRules(context, given)
  const broken = checked.filter(({ problems }) => problems.length > 0)
  if (context.json)
    printJson(context, { rules: checked.map(checkedJson), problems: broken.flatMap((each) => each.problems) })
  else print(context, checked, broken)
  if (broken.length > 0) context.exitWith(EXIT.usage)
}

function checkedJson({ file, rule, problems }: CheckedRule): object {
  if (rule === undefined) return { file, problems }
  const { name, kind, enabled, tests } = rule
  return { file, rule: name, kind, enabled, tests: tests.length, problems }
}

function print({ out }: CliContext, checked: readonly CheckedRule[], broken: readonly CheckedRule[]): void {
  for (const { file, rule, problems } of checked) {
    if (problems.length === 0) out.line(`${out.style('green', 'ok')}    ${file}  ${rule?.name ?? ''}`)
    else out.line(`${out.style('red', 'wrong')} ${file}  ${problems.length} to correct`)
    for (const problem of problems) out.line(`      ${issueLine(problem)}`)
  }
  const problems = broken.reduce((sum, each) => sum + each.problems.length, 0)
  out.line(
    problems === 0
      ? `${counted(checked.length, 'rule')}, nothing to correct`
      : `${counted(checked.length, 'rule')}, ${counted(problems, 'mistake')} in ${broken.length} of them`,
  )
}
