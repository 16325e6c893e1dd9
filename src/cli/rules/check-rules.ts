import { relative } from 'node:path'
import type { Rule } from '../../cep/rule/rule.js'
import { ruleCycles } from '../../cep/rule/rule-cycles.js'
import { isFault, type Issue } from '../../error/millrace-error.js'
import type { Registry } from '../../event/registry.js'
import { nearestName } from '../../event/nearest-name.js'
import { loadRule } from '../../runtime/discover.js'

/** What is known of the deployment that a rule is to work in. */
export interface RuleSurroundings {
  /** undefined: event types and fields are not checked. */
  readonly registry: Registry | undefined
  /** Names of the declared streams; undefined: they are not checked. */
  readonly streams: ReadonlySet<string> | undefined
}

export interface CheckedRule {
  readonly file: string
  /** undefined when it has problems. */
  readonly rule: Rule | undefined
  readonly problems: readonly Issue[]
}

/** Checks rule files against contracts, streams and each other. Problems are data; only other errors are thrown. */
export async function checkRules(paths: readonly string[], around: RuleSurroundings): Promise<CheckedRule[]> {
  const read: { file: string; rule: Rule | undefined; problems: Issue[] }[] = []
  const taken = new Map<string, string>()
  for (const path of paths) {
    const file = relative(process.cwd(), path)
    try {
      const rule = await loadRule(path, around.registry)
      const problems = streamProblems(rule, around.streams)
      const other = taken.get(rule.name)
      if (other !== undefined) problems.push(problemAt(rule, 'rule', `a rule is named ${rule.name} in ${other} too`))
      else taken.set(rule.name, file)
      read.push({ file, rule, problems })
    } catch (error) {
      if (!isFault(error, 'RULE_INVALID', 'PATTERN_INVALID', 'INPUT_UNREADABLE', 'DECLARATION_INVALID')) throw error
      const issues = error.issues.length > 0 ? error.issues : [{ file, line: 1, column: 1, detail: error.detail }]
      read.push({ file, rule: undefined, problems: issues.map((issue) => ({ code: error.code, ...issue })) })
    }
  }
  const rules = read.flatMap(({ rule }) => (rule === undefined ? [] : [rule]))
  for (const issue of ruleCycles(rules)) read.find(({ rule }) => rule?.places.file === issue.file)?.problems.push(issue)
  return read.map(({ file, rule, problems }) => ({ file, rule: problems.length === 0 ? rule : undefined, problems }))
}

function streamProblems(rule: Rule, streams: ReadonlySet<string> | undefined): Issue[] {
  if (streams === undefined) return []
  return (['on', 'to'] as const)
    .filter((field) => !streams.has(rule[field]) && (field === 'on' || rule.to !== rule.on))
    .map((field) => {
      const nearest = nearestName(rule[field], streams)
      const hint = nearest === undefined ? `there are: ${[...streams].join(', ')}` : `did you mean ${nearest}?`
      return problemAt(rule, field === 'on' ? 'on' : 'emit', `stream ${rule[field]} is not declared; ${hint}`)
    })
}

function problemAt({ places }: Rule, field: string, detail: string): Issue {
  const place = places.fields[field] ?? { line: 1, column: 1 }
  return { code: 'RULE_INVALID', file: places.file, ...place, detail }
}
