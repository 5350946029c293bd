/**
 * The names of files that are run or trusted outside of a sandbox later, by other programs: a shell
 * that starts, git, an editor that opens the directory.
 *
 * @module
 */

/**
 * Read in a user's home directory, or where a configuration says so. Where one is missing elsewhere,
 * it can be made: nothing reads it there. Directories of programs are among them that come before
 * others in PATH, and of libraries: python runs what is in ~/.local/lib when it starts. The command
 * `ramekin` executes boxes in its cache, and makes changes that its state says are to be made.
 */
export const HOME_NAMES: readonly string[] = [
  ".aws/config",
  ".bash_aliases",
  ".bash_completion",
  ".bash_login",
  ".bash_logout",
  ".bash_profile",
  ".bashrc",
  ".config/autostart",
  ".config/direnv",
  ".config/environment.d",
  ".config/fish",
  ".config/git",
  ".config/hypr",
  ".config/i3",
  ".config/mise",
  ".config/nvim",
  ".config/plasma-workspace",
  ".config/sway",
  ".config/systemd",
  ".config/zsh",
  ".direnvrc",
  ".emacs",
  ".emacs.d",
  ".exrc",
  ".gdbinit",
  ".gitconfig",
  ".gradle/init.d",
  ".inputrc",
  ".kshrc",
  ".kube/config",
  ".lldbinit",
  ".local/share/applications",
  ".local/share/dbus-1",
  ".local/share/systemd",
  ".login",
  ".netrc",
  ".npmrc",
  ".pam_environment",
  ".profile",
  ".psqlrc",
  ".ripgreprc",
  ".screenrc",
  ".sqliterc",
  ".ssh",
  ".tmux.conf",
  ".vim",
  ".vimrc",
  ".xinitrc",
  ".xprofile",
  ".xsession",
  ".xsessionrc",
  ".zlogin",
  ".zlogin.zwc",
  ".zlogout",
  ".zlogout.zwc",
  ".zprofile",
  ".zprofile.zwc",
  ".zshenv",
  ".zshenv.zwc",
  ".zshrc",
  ".zshrc.zwc",
  "~/.cache/ramekin",
  "~/.local/bin",
  "~/.local/lib",
  "~/.local/state/ramekin",
  "~/bin",
];

/**
 * Programs in the home directory that are run by their names, what manages them, what Deno has compiled
 * and downloaded, and the images of `ramekin`. These can be made where they are missing, as then no PATH
 * has them, and much else is made beside them (~/go).
 */
const PROGRAM_NAMES: readonly string[] = [
  "~/.asdf",
  "~/.bun/bin",
  "~/.cache/deno",
  "~/.cache/pre-commit",
  "~/.cargo/bin",
  "~/.cargo/env",
  "~/.deno",
  "~/.local/share/pnpm",
  "~/.local/share/ramekin",
  "~/.nvm",
  "~/.pyenv",
  "~/.rbenv",
  "~/.rustup",
  "~/.volta",
  "~/go/bin",
];

/**
 * Names that are protected where they are, and can always be made. A directory of git that stands for
 * a state, as that of a rebase, is among them if it is asked for: git would take an empty one for it.
 */
export const PRESENT_NAMES: readonly string[] = [
  ...PROGRAM_NAMES,
  ".git/rebase-apply",
  ".git/rebase-merge",
  ".git/sequencer",
];

/** Where `ramekin` keeps boxes, which it executes by their names. */
export const KEPT_BOXES = "~/.cache/ramekin";

/**
 * Read in the directory of a project by programs that are started there, or run anyway: these cannot
 * be made either where they are missing.
 */
const PROJECT_NAMES = [
  ".cargo/config",
  ".cargo/config.toml",
  ".claude/agents",
  ".claude/commands",
  ".claude/hooks",
  ".claude/settings.json",
  ".claude/settings.local.json",
  ".claude/skills",
  ".codex",
  ".cursor",
  ".devcontainer",
  ".devcontainer.json",
  ".dir-locals.el",
  ".envrc",
  ".gemini",
  ".git/commondir",
  ".git/config",
  ".git/config.worktree",
  ".git/hooks",
  ".githooks",
  ".gitmodules",
  ".husky",
  ".idea",
  ".mcp.json",
  ".vscode",
  ".yarnrc.yml",
  ".zed",
];

/**
 * The names that `sandbox()` and `protect()` keep read-only in what a program may write to: files
 * that shells, git and editors read or run later, as the user, outside of the sandbox. A name stands
 * for every file or directory whose path ends with it. `.git/` stands for every directory of git:
 * also those of submodules, of worktrees and of bare repositories. `~/` stands for the home directory
 * alone.
 *
 * @example One name more
 * ```ts
 * import { PROTECTED_NAMES, sandbox } from "@ramekin/ramekin";
 *
 * const box = sandbox({ protect: [...PROTECTED_NAMES, "deploy.sh"] });
 * console.log(box.steps.length > 0); // true
 * ```
 */
export const PROTECTED_NAMES: readonly string[] = [
  ...HOME_NAMES,
  ...PROGRAM_NAMES,
  ...PROJECT_NAMES,
].sort();
