import type { Label } from './generate-plan.ts'

/** A match to be judged. Times in milliseconds since the Unix epoch, both inclusive. */
export interface ScoredMatch {
  readonly rule: string
  readonly key: string
  readonly from: number
  readonly to: number
}

export interface Score {
  /** Labels that at least one match found. */
  readonly truePositives: number
  /** Matches that found none. */
  readonly falsePositives: number
  /** Labels that no match found. */
  readonly falseNegatives: number
  /** Of what was reported, the part that was right; 1 when nothing was reported. */
  readonly precision: number
  /** Of what was there, the part that was reported; 1 when nothing was there. */
  readonly recall: number
}

type Truth = Pick<Label, 'cardId' | 'from' | 'to'> & { readonly kind: string }

/**
 * Judges matches against labels, for each kind (a rule is named after the kind it looks for). A match is right when a
 * label of its kind has its card and shares a moment with it. Several matches of one label count once.
 */
export function precisionRecall(matches: Iterable<ScoredMatch>, labels: readonly Truth[]): Record<string, Score> {
  const byCard = new Map<string, Truth[]>()
  const kinds = new Map<string, { found: Set<Truth>; labels: number; wrong: number }>()
  const kindOf = (name: string): { found: Set<Truth>; labels: number; wrong: number } => {
    const known = kinds.get(name) ?? { found: new Set(), labels: 0, wrong: 0 }
    kinds.set(name, known)
    return known
  }
  for (const label of labels) {
    kindOf(label.kind).labels++
    const list = byCard.get(label.cardId)
    if (list === undefined) byCard.set(label.cardId, [label])
    else list.push(label)
  }
  for (const match of matches) {
    const kind = kindOf(match.rule)
    const right = (byCard.get(match.key) ?? []).filter(
      ({ kind: name, from, to }) => name === match.rule && match.from <= to && match.to >= from,
    )
    if (right.length === 0) kind.wrong++
    for (const label of right) kind.found.add(label)
  }
  return Object.fromEntries(
    [...kinds].map(([name, { found, labels: all, wrong }]) => [name, score(found.size, wrong, all)]),
  )
}

function score(truePositives: number, falsePositives: number, labels: number): Score {
  return {
    truePositives,
    falsePositives,
    falseNegatives: labels - truePositives,
    precision: truePositives + falsePositives === 0 ? 1 : truePositives / (truePositives + falsePositives),
    recall: labels === 0 ? 1 : truePositives / labels,
  }
}
