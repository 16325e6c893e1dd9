import type { StreamDeclaration } from '../broker/define-stream.js'
import { ruleCycles } from '../cep/rule/rule-cycles.js'
import type { Rule } from '../cep/rule/rule.js'
import { fault } from '../error/millrace-error.js'
import type { DeclaredPipeline } from '../pipeline/declared-pipeline.js'
import type { ViewDeclaration } from '../view/view-options.js'
import type { RuleFile } from './deployment.js'

/** @throws DECLARATION_INVALID */
export function requireUnique(what: string, all: readonly string[]): void {
  const twice = all.find((name, at) => all.indexOf(name) !== at)
  if (twice !== undefined) throw fault('DECLARATION_INVALID', `two ${what}s are named ${JSON.stringify(twice)}`)
}

export function requireUniqueViews(views: readonly ViewDeclaration[]): void {
  requireUnique(
    'view',
    views.map(({ name }) => name),
  )
  requireUnique(
    'bucket of view',
    views.map(({ to }) => to.bucket),
  )
}

/** Rules that cause each other for ever do not start. */
export function requireNoCycle(rules: readonly RuleFile[]): void {
  const issues = ruleCycles(rules.map(({ rule }) => rule))
  if (issues.length > 0) throw fault('RULE_CYCLIC', issues[0]?.detail ?? '', { issues })
}

/** Whoever names a stream, names one of a context; what merges the inputs of a pipeline is its own. */
export function requireStreams(
  streams: readonly StreamDeclaration[],
  pipelines: readonly DeclaredPipeline[],
  rules: readonly RuleFile[],
  views: readonly ViewDeclaration[],
): void {
  const known = new Set(streams.map(({ name }) => name))
  const check = (who: string, stream: string): void => {
    if (!known.has(stream))
      throw fault(
        'DECLARATION_INVALID',
        `${who}: stream ${JSON.stringify(stream)} is not declared; there are: ${[...known].join(', ')}`,
      )
  }
  for (const { name, inputs, outputs } of pipelines)
    for (const { stream } of [...inputs, ...outputs]) check(`pipeline ${name}`, stream)
  for (const { name, from } of views) check(`view ${name}`, from.stream)
  for (const { file, rule } of rules)
    for (const [field, stream] of [
      ['on', rule.on],
      ['emit', rule.to],
    ] as const)
      check(placed(file, rule, field), stream)
}

function placed(file: string, { places }: Rule, field: string): string {
  const place = places.fields[field]
  return place === undefined ? file : `${file}:${place.line}:${place.column}`
}
