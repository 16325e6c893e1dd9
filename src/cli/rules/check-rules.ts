import { relative } from 'node:path'
import { isFault, type Issue } from '../../error/millrace-error.js'
import type { Registry } from '../../event/registry.js'
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
  readonly rule: string | undefined
  readonly problems: readonly Issue[]
}

/** Checks rule files against contracts, streams and each other. Problems are data; only other errors are thrown. */
export async function checkRules(paths: readonly string[], around: RuleSurroundings): Promise<CheckedRule[]> {
  const checked: CheckedRule[] = []
  const taken = new Map<string, string>()
  for (const path of paths) {
    const file = relative(process.cwd(), path)
    const problems: Issue[] = []
    let name: string | undefined
    try {
      const rule = await loadRule(path, around.registry)
      name = rule.name
      for (const stream of new Set([rule.on, rule.to]))
        if (around.streams?.has(stream) === false)
          problems.push({
            file,
            detail: `stream ${stream} is not declared; there are: ${[...around.streams].join(', ')}`,
          })
      const other = taken.get(name)
      if (other !== undefined) problems.push({ file, detail: `a rule is named ${name} in ${other} too` })
      else taken.set(name, file)
    } catch (error) {
      if (!isFault(error, 'RULE_INVALID', 'PATTERN_INVALID', 'INPUT_UNREADABLE')) throw error
      problems.push(...(error.issues.length > 0 ? error.issues : [{ file, detail: error.detail }]))
    }
    checked.push({ file, rule: problems.length === 0 ? name : undefined, problems })
  }
  return checked
}
