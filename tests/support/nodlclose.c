// SPDX-License-Identifier: Apache-2.0
// Linked into sanitizer builds only. Open MPI closes its plugins at MPI_Finalize; what they had
// allocated then shows as a leak from an <unknown module>, which no suppression can name. Plugins
// that stay loaded keep their names (see lsan.supp).
int dlclose(void *handle);

int dlclose(void *handle)
{
    (void)handle;
    return 0;
}
