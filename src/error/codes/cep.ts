import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of patterns and rules. */
export const CEP_ERRORS = {
  RULE_INVALID: {
    disposition: 'reject',
    means: 'a rule file has mistakes',
    advice: 'Correct each place that is listed with its line and column, then run millrace rules check',
    exit: EXIT.usage,
    status: 422,
  },
  RULE_TOO_LARGE: {
    disposition: 'reject',
    means: 'a rule file is longer or nested more deeply than any rule needs',
    advice: 'Write one rule in each file, at most 100,000 characters; tests of a rule need not be recordings',
    exit: EXIT.usage,
    status: 422,
  },
  RULE_UNBOUNDED: {
    disposition: 'reject',
    means: 'nothing bounds what a rule must remember: its state would grow for ever',
    advice: 'Give the rule a window with within, or a bound with bounds: { partialMatchesPerKey: … }',
    exit: EXIT.usage,
    status: 422,
  },
  RULE_CYCLIC: {
    disposition: 'reject',
    means: 'rules read what they emit, themselves or through each other: one event would cause others for ever',
    advice:
      'Emit to another stream with to, or another event type, so that no rule reads what follows from its own events',
    exit: EXIT.usage,
    status: 422,
  },
  RULE_TESTS_FAILED: {
    disposition: 'reject',
    means: 'a rule does not find what its tests expect',
    advice: 'Compare what was expected with what was emitted; correct the rule or its test',
    exit: EXIT.failure,
    status: 422,
  },
  EXPRESSION_INVALID: {
    disposition: 'reject',
    means:
      'an expression of a rule cannot be read, names something that is not there, or mixes what cannot go together',
    advice: 'Correct the expression at the line and column that is named; expressions are CEL',
    exit: EXIT.usage,
    status: 422,
  },
  PATTERN_INVALID: {
    disposition: 'reject',
    means: 'a pattern cannot be compiled',
    advice: 'Correct the stages that are named; give every pattern a window with within',
    exit: EXIT.usage,
    status: 422,
  },
  SKIP_TARGET_MISSING: {
    disposition: 'crash',
    means: 'a match cannot be skipped from: it has no event of the stage that is skipped to, or begins with it',
    advice: 'Skip to a stage that every match has, which is not its first; without throwOnMiss nothing is skipped',
    exit: EXIT.failure,
    status: 422,
  },
  RULE_EMIT_FAILED: {
    disposition: 'dead-letter',
    means: 'a rule matched, but the event that it emits could not be made from the match',
    advice:
      'Correct the emit expressions of the rule; has(data.x) tells whether a field is there. What it did not emit stays out: the dead letter has the event that completed the match',
    exit: EXIT.failure,
    status: 422,
  },
  RULE_CHANGED_MEANWHILE: {
    disposition: 'reject',
    means: 'somebody else has changed the rule at the same moment',
    advice: 'Look at what it is now (millrace rules show RULE), and do it again if that is still right',
    exit: EXIT.conflict,
    status: 409,
  },
  RULE_STATE_DIFFERS: {
    disposition: 'reject',
    means: 'a rule was to go on with what its former revision has begun, but the two are not of the same shape',
    advice:
      'Deploy it with --on-change drain (the former revision ends what it has begun) or cut (that is dropped); keep is for changes of emit and of values in conditions',
    exit: EXIT.conflict,
    status: 409,
  },
  RULE_DRAINS_FULL: {
    disposition: 'reject',
    means: 'as many former revisions of a rule as may go on at once still end what they have begun',
    advice:
      'Wait until one is done (millrace status names them), or deploy with --on-change cut; pausing the rule and deploying then drops them all',
    exit: EXIT.conflict,
    status: 409,
  },
  RULE_UNKNOWN: {
    disposition: 'reject',
    means: 'no rule of that name, or no such revision of it, is deployed',
    advice: 'Choose one of the names or revisions in the detail',
    exit: EXIT.notFound,
    status: 404,
  },
  RULE_NOT_DEPLOYABLE: {
    disposition: 'reject',
    means: 'a rule cannot be deployed as it is asked for',
    advice: 'The detail says what is in the way and how to go on',
    exit: EXIT.conflict,
    status: 409,
  },
  EXPRESSION_FAILED: {
    disposition: 'reject',
    means: 'an expression cannot be evaluated for this event',
    advice: 'Ask first whether the field is there, with has(data.x); the rule counts such events and goes on',
    exit: EXIT.failure,
    status: 422,
  },
  DETECTOR_INVALID: {
    disposition: 'reject',
    means: 'a detector has a parameter that it cannot work with',
    advice: 'Correct the parameter that is named; docs/detectors.md lists all of them with their units and limits',
    exit: EXIT.usage,
    status: 422,
  },
  BOUND_EXCEEDED: {
    disposition: 'crash',
    means: 'a rule holds as much as it may, and its policy is to fail rather than to forget',
    advice: 'Raise the bound that is named, narrow what the rule looks at, or let it drop the oldest or the newest',
    exit: EXIT.failure,
    status: 507,
  },
  BENCHMARK_UNREADABLE: {
    disposition: 'reject',
    means: 'the data of a detector benchmark cannot be read',
    advice: 'Name a folder in the layout of NAB: data/**.csv with timestamp,value, and labels/combined_windows.json',
    exit: EXIT.usage,
    status: 422,
  },
  SNAPSHOT_MISMATCH: {
    disposition: 'crash',
    means: 'the saved state of a rule belongs to another version of its pattern',
    advice: 'Start the changed rule as a new revision, without the state of the old one',
    exit: EXIT.failure,
    status: 409,
  },
} as const satisfies Record<string, ErrorEntry>
