import { EXIT } from '../../error/exit-code.js'
import { isFault } from '../../error/millrace-error.js'
import { discover, ruleFilesIn } from '../../runtime/discover.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { issueLine } from '../print-error.js'
import { counted } from '../table.js'
import { checkRules, type CheckedRule, type RuleSurroundings } from './check-rules.js'

/**
 * Checks rule files, all of `streams/` when none is named. Exit code 5 when there are problems.
 * @throws STREAMS_FOLDER_MISSING, DECLARATION_INVALID, CONTRACT_DUPLICATE
 */
export async function checkCommand(context: CliContext, files: readonly string[]): Promise<void> {
  const { streams } = context.options
  const paths = files.length > 0 ? files : await ruleFilesIn(streams)
  const checked = await checkRules(paths, await surroundings(context, files.length > 0))
  const broken = checked.filter(({ problems }) => problems.length > 0)
  if (context.json) printJson(context, { rules: checked, problems: broken.flatMap(({ problems }) => problems) })
  else print(context, checked, broken)
  if (broken.length > 0) context.exitWith(EXIT.check)
}

/** The contracts and streams; a file that is named is checked without them where there is no `streams/`. */
async function surroundings({ options, err, json }: CliContext, isNamed: boolean): Promise<RuleSurroundings> {
  try {
    const deployment = await discover(options.streams, { rules: false })
    return { registry: deployment.registry, streams: new Set(deployment.streams.map(({ name }) => name)) }
  } catch (error) {
    if (!isNamed || !isFault(error, 'STREAMS_FOLDER_MISSING')) throw error
    if (!json) err.line(`event types and fields are not checked: ${error.detail} is missing`)
    return { registry: undefined, streams: undefined }
  }
}

function print({ out }: CliContext, checked: readonly CheckedRule[], broken: readonly CheckedRule[]): void {
  for (const { file, rule, problems } of checked) {
    if (problems.length === 0) out.line(`${out.style('green', 'ok')}    ${file}  ${rule ?? ''}`)
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
