// LARDER_API marks the functions that liblarder.so hands out; everything else stays inside.
#pragma once

#define LARDER_API [[gnu::visibility("default")]]
