// SCRIPT, FUNCTION, EVALSHA, FCALL: what a Redis answers that knows no script and no function.
#include <fmt/format.h>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"

namespace larder::command {
namespace {

// What Redis's FUNCTION DUMP gives for no library at all: the version of its format (10) and a
// CRC-64 of that.
constexpr std::string_view kNoLibraries("\x0a\x00\x5d\x9b\x5c\x40\x0f\x7f\xa2\xda", 10);

constexpr std::string_view kNotBusy = "NOTBUSY No scripts in execution right now.";

}  // namespace

void EvalSha(Context& context, Arguments /*args*/) {
  context.reply.Error("NOSCRIPT No matching script. Please use EVAL.");
}

void FunctionCall(Context& context, Arguments /*args*/) {
  context.reply.Error("ERR Function not found");
}

void FunctionDump(Context& context, Arguments /*args*/) { context.reply.Bulk(kNoLibraries); }

void FunctionHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "function"); }

void FunctionKill(Context& context, Arguments /*args*/) { context.reply.Error(kNotBusy); }

void FunctionList(Context& context, Arguments args) {
  bool with_code = false;
  bool with_name = false;
  for (size_t i = 2; i < args.size(); ++i) {
    if (!with_code && IsOption(args[i], "withcode")) {
      with_code = true;
    } else if (!with_name && IsOption(args[i], "libraryname")) {
      if (++i == args.size()) {
        return context.reply.Error("ERR library name argument was not given");
      }
      with_name = true;
    } else {
      return context.reply.Error(fmt::format("ERR Unknown argument {}", CString(args[i])));
    }
  }
  context.reply.Array(0);
}

void FunctionStats(Context& context, Arguments /*args*/) {
  resp::ReplyWriter& reply = context.reply;
  reply.Map(2);
  reply.Bulk("running_script");
  reply.Null();
  reply.Bulk("engines");
  reply.Map(0);
}

void ScriptExists(Context& context, Arguments args) {
  context.reply.Array(args.size() - 2);
  for (size_t i = 2; i < args.size(); ++i) context.reply.Integer(0);
}

void ScriptFlush(Context& context, Arguments args) {
  const bool fits = args.size() == 2 ||
                    (args.size() == 3 && (IsOption(args[2], "sync") || IsOption(args[2], "async")));
  if (!fits) return context.reply.Error("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  context.reply.Simple("OK");
}

void ScriptHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "script"); }

void ScriptKill(Context& context, Arguments /*args*/) { context.reply.Error(kNotBusy); }

}  // namespace larder::command
