/**
 * Subcommands that are about images.
 *
 * @module
 */

import {
  PROGRAM_FLAGS,
  PULL_FLAGS,
  REGISTRY_FLAGS,
  REPORT_FLAGS,
  VERIFY_KEY,
} from "../image_flags.ts";
import { bytesOf } from "../units.ts";
import type { Subcommand } from "../usage.ts";
import { JSON_FLAG, RECIPE, SET } from "./shared.ts";

const IMAGE = { name: "IMAGE", completes: "image" } as const;

/** Those that are about images. */
export const IMAGES = [
  {
    name: "pull",
    summary: "get an image from a registry, a layout or an archive",
    more: "The image is downloaded into the store, checked and unpacked. It is named as " +
      "debian:12, registry.example:5000/team/tool@sha256:..., oci:DIRECTORY:TAG, " +
      "oci-archive:FILE, docker-archive:FILE or dir:DIRECTORY. The store is ramekin/images in " +
      "XDG_DATA_HOME (~/.local/share), /var/lib/ramekin/images for root, or RAMEKIN_IMAGES.",
    operands: [IMAGE],
    flags: [
      { name: "name", value: "NAME", summary: "the name in the store, for an image from files" },
      ...PULL_FLAGS,
      VERIFY_KEY,
      ...REGISTRY_FLAGS,
      ...REPORT_FLAGS,
    ],
  },
  {
    name: "images",
    summary: "list the images in the store",
    operands: [],
    flags: [
      {
        name: "verify",
        summary:
          "read all that is stored, and remove what is damaged, so that a pull gets it again",
      },
      { name: "prune", summary: "remove what no image and no container uses" },
      JSON_FLAG,
    ],
  },
  {
    name: "rmi",
    summary: "remove an image from the store",
    more: "What another image has too stays, and what a container uses.",
    operands: [IMAGE],
    flags: [JSON_FLAG],
  },
  {
    name: "inspect",
    summary: "show what is said of an image, and how its program is started",
    operands: [IMAGE],
    instead: { f: "--json writes all of it", format: "--json writes all of it" },
    flags: [PULL_FLAGS[0]!, JSON_FLAG],
  },
  {
    name: "commit",
    summary: "make an image of what a run with --keep has changed",
    more:
      "The new image has one layer more: what is in the directory. The words after -- are its " +
      "command. With SOURCE_DATE_EPOCH, the same changes make the same image.",
    operands: [
      IMAGE,
      { name: "DIRECTORY", completes: "file" },
      { name: "NAME", completes: "image" },
    ],
    program: true,
    flags: [
      ...PROGRAM_FLAGS,
      { name: "message", letter: "m", value: "TEXT", summary: "what its history says of it" },
      {
        name: "max-size",
        value: "SIZE",
        check: bytesOf,
        summary: "the most bytes of the files, with holes in them; 32g without it",
      },
      PULL_FLAGS[0]!,
      JSON_FLAG,
    ],
  },
  {
    name: "pack",
    summary: "make an image of the root that a recipe makes",
    more:
      "The image has the files, links and directories that the steps make, and the environment, the " +
      "user and the working directory that they set; with --from over the files of that image, which " +
      "is pulled unless it is there. The words after -- are its command. Nothing is run. Steps about " +
      "a run, such as namespaces, limits and what is mounted, are told, and no part of it; files of " +
      "this machine that the recipe binds are copied with --copy alone. The same recipe makes the " +
      "same image, byte by byte; its time is SOURCE_DATE_EPOCH, or else that of --from, or else " +
      "1970.\n\n" +
      "The output is a name in the store, oci:DIRECTORY:TAG, oci-archive:FILE:NAME or " +
      "docker-archive:FILE:NAME.",
    operands: [RECIPE],
    program: true,
    place: "recipe",
    flags: [
      {
        name: "output",
        letter: "o",
        value: "OUTPUT",
        completes: "file",
        summary: "where the image is written to: a name, or a file",
      },
      {
        name: "from",
        value: "IMAGE",
        completes: "image",
        summary: "the image whose files the steps change, as debian:12",
      },
      {
        name: "copy",
        value: "PATHS",
        optionalValue: true,
        repeated: true,
        completes: "file",
        summary:
          "copy files of this machine that the recipe binds: those in these directories, or all",
      },
      SET,
      ...PROGRAM_FLAGS,
      ...PULL_FLAGS.filter(({ name }) => name !== "no-unpack"),
      VERIFY_KEY,
      ...REGISTRY_FLAGS,
      ...REPORT_FLAGS,
    ],
  },
  {
    name: "push",
    summary: "send an image of the store to a registry",
    more: "What the registry has is not sent again. The second operand is where to, if it is not " +
      "the image's own name.",
    operands: [IMAGE, { name: "TO", completes: "image", optional: true }],
    flags: [PULL_FLAGS[0]!, ...REGISTRY_FLAGS, ...REPORT_FLAGS],
  },
  {
    name: "save",
    summary: "write an image of the store as an archive, which docker and podman load",
    operands: [IMAGE],
    flags: [
      {
        name: "output",
        letter: "o",
        value: "FILE",
        completes: "file",
        summary: "the file to write, or else the standard output",
      },
      PULL_FLAGS[0]!,
      { ...JSON_FLAG, summary: "write the image and the size of the file, as JSON" },
    ],
  },
  {
    name: "load",
    summary: "get the images of an archive of docker's, podman's or skopeo's",
    more: "With - as the file, it is the standard input: ramekin save debian:12 | ssh there " +
      "ramekin load -.",
    operands: [{ name: "FILE", completes: "file" }],
    instead: {
      i: "the file comes without a flag: ramekin load FILE",
      input: "the file comes without a flag: ramekin load FILE",
    },
    flags: [
      { name: "name", value: "NAME", summary: "the name in the store, of the only image" },
      ...PULL_FLAGS,
      ...REPORT_FLAGS,
    ],
  },
] as const satisfies readonly Subcommand[];
